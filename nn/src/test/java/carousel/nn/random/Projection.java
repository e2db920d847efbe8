package carousel.nn.random;

import carousel.tensor.Tensor;
import java.util.List;

/** What a cell makes of its input before the steps. */
enum Projection {
  /** What an affine cell does by itself. */
  AFFINE("x.matmul(wx.value()).add(b.value())") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.matmul(wx).add(b);
    }
  },
  /** The step reads x itself. */
  IDENTITY("x") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x;
    }

    @Override
    int columns(int inputs, int gates) {
      return inputs;
    }
  },
  /** Something around it. */
  AROUND("x.matmul(wx.value()).add(b.value()).tanh().mul(2)") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.matmul(wx).add(b).tanh().mul(2);
    }
  },
  /** Something before it. */
  INSIDE("x.sigmoid().matmul(wx.value()).add(b.value())") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.sigmoid().matmul(wx).add(b);
    }
  },
  /** Without a bias. */
  PRODUCT("x.matmul(wx.value())") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.matmul(wx);
    }
  },
  /** x beside it. */
  BESIDE("Tensor.concat(List.of(x, x.matmul(wx.value()).add(b.value())), Tensor.LAST)") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return Tensor.concat(List.of(x, x.matmul(wx).add(b)), Tensor.LAST);
    }

    @Override
    int columns(int inputs, int gates) {
      return inputs + gates;
    }
  },
  /** Every step's gates are normalised. */
  NORMED("x.matmul(wx.value()).add(b.value()).softmax(Tensor.LAST)") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.matmul(wx).add(b).softmax(Tensor.LAST);
    }
  },
  /** Of length 1, which nothing is at zeros: what a cell sees beside padding has to be something else. */
  UNIT("x.div(x.square().sum(Tensor.LAST, true).sqrt()).matmul(wx.value()).add(b.value())") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.div(x.square().sum(Tensor.LAST, true).sqrt()).matmul(wx).add(b);
    }
  },
  /** No gradient for x. */
  DETACHED("x.detach().matmul(wx.value()).add(b.value())") {
    @Override
    Tensor apply(Tensor x, Tensor wx, Tensor b) {
      return x.detach().matmul(wx).add(b);
    }
  };

  private final String source;

  Projection(String source) {
    this.source = source;
  }

  abstract Tensor apply(Tensor x, Tensor wx, Tensor b);

  /** The columns of z, of a product that has {@code gates}. */
  int columns(int inputs, int gates) {
    return gates;
  }

  String source() {
    return source;
  }
}
