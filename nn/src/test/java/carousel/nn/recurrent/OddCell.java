package carousel.nn.recurrent;

import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Cells for the contract of kernels over time, which do what the cells of this library do not. */
public record OddCell(Kind kind, Parameter wx, Parameter wh, Parameter b, Parameter v)
    implements AffineCell<HiddenState> {
  /** What is odd about it. */
  public enum Kind {
    /** Limits, extremes, and tests that are put together. */
    TESTS {
      @Override
      Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh) {
        Tensor gate = a.get(0).mul(0.4).add(0.5).clamp(0, 1);
        Tensor low = a.get(1).maximum(v.chunk(2, Tensor.LAST).get(0)).minimum(a.get(2));
        Tensor near = low.lt(0.6).and(a.get(3).isNan().not()).and(h.gt(2).not());
        return Tensor.where(near, low, h.mul(0.5)).mul(gate);
      }
    },
    /** Limits on both sides of a second product, so that one stage of the gradient tests for another. */
    STAGES {
      @Override
      Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh) {
        Tensor reset = a.get(0).clamp(-0.3, 0.4);
        Tensor fed = reset.mul(h).matmul(wh).chunk(BLOCKS, Tensor.LAST).get(1);
        return a.get(2).add(fed).clamp(-0.5, 0.6).add(a.get(3).clamp(-0.2, 0.2)).mul(0.5);
      }
    },
    /** Blocks of every weight that no step reads. */
    SPARE {
      @Override
      Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh) {
        return a.get(2).add(v.chunk(2, Tensor.LAST).get(1).mul(h)).tanh();
      }
    },
    /** Neither the input nor a product. */
    DEAF {
      @Override
      Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh) {
        return v.chunk(2, Tensor.LAST).get(0).mul(h).add(v.chunk(2, Tensor.LAST).get(1)).tanh();
      }
    },
    /** A product of a sum as it is, which lies among others. */
    TWICE {
      @Override
      Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh) {
        Tensor fed = a.get(1).matmul(wh).chunk(BLOCKS, Tensor.LAST).get(3);
        return a.get(0).sigmoid().mul(fed).add(a.get(2)).tanh().mul(0.5);
      }
    },
    /** More code than one program holds, and sums that are read from end to end. */
    LONG {
      @Override
      Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh) {
        List<Tensor> gates = a.stream().map(Tensor::sigmoid).toList();
        List<Tensor> exponents = a.stream().map(x -> x.mul(0.1).exp()).toList();
        Tensor sum = h.mul(v.chunk(2, Tensor.LAST).get(0)).tanh();
        for (int i = 0; i < a.size(); i++) {
          sum = sum.add(gates.get(i).mul(a.get(i).tanh()).mul(exponents.get(i)));
        }
        return sum.mul(0.2);
      }
    };

    abstract Tensor step(List<Tensor> a, Tensor h, Tensor v, Tensor wh);
  }

  private static final int BLOCKS = 4;

  public static Stream<String> names() {
    return Stream.of(Kind.values()).map(kind -> "odd " + kind);
  }

  public static OddCell of(String name, int inputs, int hidden, Init init, Philox rng) {
    return new OddCell(
        Kind.valueOf(name.substring("odd ".length())),
        init.parameter(rng, inputs, BLOCKS * hidden),
        init.parameter(rng, hidden, BLOCKS * hidden),
        init.parameter(rng, BLOCKS * hidden),
        init.parameter(rng, 2 * hidden));
  }

  @Override
  public Parameters parameters() {
    List<Parameters.Named> all = new ArrayList<>();
    all.add(new Parameters.Named("wx", wx));
    all.add(new Parameters.Named("wh", wh));
    all.add(new Parameters.Named("b", b));
    all.add(new Parameters.Named("v", v));
    return Parameters.of(all);
  }

  @Override
  public int outputs() {
    return wh.value().dim(0);
  }

  @Override
  public HiddenState step(Tensor z, HiddenState state) {
    Tensor h = state.h();
    List<Tensor> a = z.add(h.matmul(wh.value())).chunk(BLOCKS, Tensor.LAST);
    return new HiddenState(kind.step(a, h, v.value(), wh.value()));
  }

  @Override
  public HiddenState zero(int batch) {
    return new HiddenState(wh.value().zerosLike(Shape.of(batch, outputs())));
  }
}
