package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import carousel.autograd.Grad;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Op;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Kernels of composites that are not of this library. */
@Tag("cpu") // other devices have kernels of their own, or none
class PointwiseKernelTest {
  private final Philox rng = Philox.of(11);

  @BeforeEach
  void thereAreVectors() {
    assumeTrue(FusedContract.VECTORS, "no loops are made without the Vector API");
  }

  private Tensor normal(DType type, int... dims) {
    return rng.normal(type, 0, 1, dims);
  }

  private static void check(Composite.Body body, Tensor... inputs) {
    double tolerance = inputs[0].dtype() == DType.F32 ? 2e-4 : 1e-11;
    FusedContract.check(new Composite("a user's", body), tolerance, inputs);
  }

  private static boolean hasKernel(Composite.Body body, Tensor... inputs) {
    return new Composite("a user's", body).fused(inputs) != null;
  }

  /** What an input is cut into tells the blocks, where its columns alone do not. */
  @Test
  void aLinearUnitWithAGate() {
    try (var scope = TensorScope.open()) {
      Composite.Body glu =
          in -> {
            List<Tensor> a = in[0].chunk(2, Tensor.LAST);
            return new Tensor[] {a.get(0).mul(a.get(1).sigmoid())};
          };
      for (int columns : new int[] {2, 46, 64}) {
        check(glu, normal(DType.F32, 5, columns));
        check(glu, normal(DType.F64, 2, 3, columns));
        check(glu, normal(DType.F64, columns));
      }
    }
  }

  /** Tests, numbers, joins, an input that is handed on, a block and an input that nothing reads. */
  private static final Composite.Body MIXED =
      in -> {
        List<Tensor> a = in[0].chunk(3, Tensor.LAST);
        Tensor x = a.get(0);
        Tensor limited = x.clamp(-0.5, 0.8).maximum(in[1].mul(0.5).add(-0.1));
        Tensor test = x.gt(in[1]).or(x.isNan()).xor(in[2].le(0.3).and(x.isFinite().not()));
        Tensor chosen = Tensor.where(test, limited, in[2].exp().sub(x.square()));
        return new Tensor[] {
          Tensor.concat(List.of(chosen, x.div(in[1].square().add(1))), Tensor.LAST),
          a.get(1),
          chosen.zerosLike().add(in[2].neg()).add(x.mul(0))
        };
      };

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void manyKindsOfRows(DType type) {
    try (var scope = TensorScope.open()) {
      for (int units : new int[] {1, 7, 16, 45}) {
        check(
            MIXED,
            normal(type, 4, 3 * units),
            normal(type, 4, units),
            normal(type, units),
            normal(type, 4, units));
      }
    }
  }

  /** More code than the compilers take at once, a test and what it chooses far apart. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void longOnesAreCut(DType type) {
    try (var scope = TensorScope.open()) {
      Composite.Body body =
          in -> {
            Tensor positive = in[0].gt(0);
            Tensor x = in[0];
            Tensor sum = in[1];
            for (int i = 0; i < 12; i++) {
              x = x.tanh().add(in[1].sigmoid());
              sum = sum.add(Tensor.where(positive, x, x.neg()));
            }
            return new Tensor[] {sum, x};
          };
      check(body, normal(type, 9, 21), normal(type, 21));
      check(body, normal(type, 3, 3), normal(type, 3));
      check(body, normal(type, 2, 9000), normal(type, 2, 9000));
    }
  }

  @Test
  void rowsThatLieApart() {
    try (var scope = TensorScope.open()) {
      Tensor wide = normal(DType.F32, 6, 100);
      Composite.Body body = in -> new Tensor[] {in[0].mul(in[1].tanh())};
      check(body, wide.narrow(1, 3, 40), wide.narrow(1, 50, 40));
      check(body, wide.narrow(1, 3, 40), normal(DType.F32, 1, 40).expand(6, 40));
      check(body, wide.narrow(1, 3, 1), normal(DType.F32, 6, 1));
      Tensor transposed = normal(DType.F32, 40, 6).transpose(0, 1);
      assertThat(hasKernel(body, transposed, wide.narrow(1, 3, 40))).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F64"})
  void aVectorOfSeveralBlocks(DType type) {
    try (var scope = TensorScope.open()) {
      Composite.Body affine =
          in -> {
            List<Tensor> x = in[0].chunk(2, Tensor.LAST);
            List<Tensor> v = in[1].chunk(2, Tensor.LAST);
            return new Tensor[] {x.get(0).mul(v.get(0)).add(x.get(1).mul(v.get(1)))};
          };
      for (int units : new int[] {3, 16, 45}) {
        check(affine, normal(type, 5, 2 * units), normal(type, 2 * units));
      }
    }
  }

  /** No row of any tensor is one block. */
  @Test
  void blocksThatChangePlaces() {
    try (var scope = TensorScope.open()) {
      Composite.Body swap =
          in -> {
            List<Tensor> x = in[0].chunk(2, Tensor.LAST);
            return new Tensor[] {Tensor.concat(List.of(x.get(1).exp(), x.get(0)), Tensor.LAST)};
          };
      check(swap, normal(DType.F32, 5, 80));
    }
  }

  @Test
  void whatNothingFlowsIntoHasNoGradient() {
    try (var scope = TensorScope.open()) {
      var op = new Composite("a user's", in -> new Tensor[] {in[0].exp(), in[1].tanh()});
      Tensor[] in = {normal(DType.F32, 3, 20), normal(DType.F32, 3, 20)};
      var fused = Objects.requireNonNull(op.fused(in));
      var result = fused.forward(in);
      @Nullable Tensor[] cotangents = {null, result.outputs()[1]};
      var gradients = fused.backward(in, result, cotangents, new boolean[] {true, true});
      assertThat(gradients[0]).isNull();
      assertThat(gradients[1]).isNotNull();
    }
  }

  /** Where rows do not fill a vector the body is faster, unless they are few. */
  @Test
  void manyRowsShorterThanAVectorRunAsTheyAreWritten() {
    try (var scope = TensorScope.open()) {
      Composite.Body body = in -> new Tensor[] {in[0].neg()};
      assertThat(hasKernel(body, normal(DType.F32, 256, 1))).isTrue();
      assertThat(hasKernel(body, normal(DType.F32, 257, 1))).isFalse();
      int lanes = 1;
      while (!hasKernel(body, normal(DType.F32, 257, lanes))) {
        lanes++;
      }
      assertThat(Integer.bitCount(lanes)).as("%d columns fill a vector", lanes).isEqualTo(1);
    }
  }

  @Test
  void aCotangentOfAnyLayout() {
    try (var scope = TensorScope.open()) {
      var op = new Composite("a user's", in -> new Tensor[] {in[0].mul(in[1].tanh())});
      Tensor x = normal(DType.F64, 6, 40);
      Tensor y = normal(DType.F64, 6, 40);
      Tensor[] results = {Op.apply(op, x, y), op.body().apply(x, y)[0]};
      assertThat(results[0].allClose(results[1], 1e-12, 1e-12)).isTrue();
      var byKernel = Grad.of(() -> Op.apply(op, x, y).transpose(0, 1).contiguous().sum(), x, y);
      var byBody = Grad.of(() -> op.body().apply(x, y)[0].sum(), x, y);
      assertThat(byKernel.get(0).allClose(byBody.get(0), 1e-12, 1e-12)).isTrue();
      assertThat(byKernel.get(1).allClose(byBody.get(1), 1e-12, 1e-12)).isTrue();
    }
  }

  /** These look at values, read what is none of their inputs, or do what no loop over rows can. */
  @Test
  void whatIsNotPointwiseRunsAsItIsWritten() {
    try (var scope = TensorScope.open()) {
      Tensor x = normal(DType.F32, 5, 8);
      Tensor captured = Tensor.zeros(8);
      List<Composite.Body> bodies =
          List.of(
              in -> new Tensor[] {in[0].sum(0)},
              in -> new Tensor[] {in[0].mul(in[0].get(0, 0))},
              in -> new Tensor[] {in[0].add(captured)},
              in -> new Tensor[] {in[0].add(rng.normal(DType.F32, 0, 1))},
              in -> new Tensor[] {in[0].gt(0)},
              in -> new Tensor[] {in[0].transpose(0, 1).neg()},
              in -> new Tensor[] {in[0].chunk(2, 0).get(0).neg()},
              in -> new Tensor[] {in[0].matmul(in[0].transpose(0, 1))},
              in -> new Tensor[] {in[0].softmax(1)});
      for (Composite.Body body : bodies) {
        assertThat(hasKernel(body, x)).as("body %d", bodies.indexOf(body)).isFalse();
      }
      assertThat(hasKernel(in -> new Tensor[] {in[0].neg()}, x)).isTrue();
      check(in -> new Tensor[] {in[0].div(in[0].dim(0))}, x); // traced with the rows there are
      check(in -> new Tensor[] {in[0].div(in[0].dim(0))}, x.narrow(0, 0, 3));
      assertThat(hasKernel(in -> new Tensor[] {in[0].neg()}, Tensor.of(1, 2, 3))).isFalse();
      assertThat(hasKernel(in -> new Tensor[] {in[0].neg()}, x.narrow(0, 0, 0))).isFalse();
    }
  }
}
