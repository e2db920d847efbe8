package carousel.tensor.contract;

import carousel.tensor.DType;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.op.Composite;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Cases of the functions that are made of rows, a line each: on every device, in both floating types, in every
 * arrangement and of no elements; and their gradients, to second order. {@link CatalogueTest} holds the list
 * against the methods of {@link Tensor}.
 */
final class CompositeCases {
  private static final List<OpCase> DIFFERENTIABLE =
      List.of(
          // Activations
          one("logSigmoid", Tensor::logSigmoid, 3, 4),
          one("mish", Tensor::mish, 3, 4),
          one("geluTanh", Tensor::geluTanh, 3, 4),
          one("selu", Tensor::selu, 3, 4),
          one("celu", x -> x.celu(0.7), 3, 4),
          one("hardTanh", Tensor::hardTanh, 3, 4),
          one("hardTanh.range", x -> x.hardTanh(-0.5, 1.5), 3, 4),
          one("relu6", x -> x.mul(4).relu6(), 3, 4),
          one("hardSigmoid", x -> x.mul(2).hardSigmoid(), 3, 4),
          one("hardSwish", x -> x.mul(2).hardSwish(), 3, 4),
          one("threshold", x -> x.threshold(0.5, 3), 3, 4),
          one("softShrink", x -> x.softShrink(0.5), 3, 4),
          one("hardShrink", x -> x.hardShrink(0.5), 3, 4),
          one("tanhShrink", Tensor::tanhShrink, 3, 4),
          one("glu", x -> x.glu(1), 3, 4),
          one("softmin", x -> x.softmin(1), 3, 4),
          // Arithmetic
          one("frac", Tensor::frac, 3, 4),
          two("remainder", Tensor::remainder, new int[] {3, 4}, 4),
          one("remainder.number", x -> x.remainder(1.25), 3, 4),
          one("nanToNum", Tensor::nanToNum, 3, 4),
          one("nanToNum.numbers", x -> x.log().nanToNum(1, 2, 3), 3, 4),
          of(
              "lerp",
              in -> in[0].lerp(in[1], in[2]),
              new int[] {3, 4},
              new int[] {4},
              new int[] {3, 1}),
          two("lerp.number", (a, b) -> a.lerp(b, 0.25), new int[] {3, 4}, 4),
          two("logAddExp", Tensor::logAddExp, new int[] {3, 1}, 4),
          two("xlogy", (x, y) -> x.xlogy(y.abs()), new int[] {3, 4}, 4),
          // Selecting
          one("maskedFill", x -> x.maskedFill(x.gt(1), -3), 3, 4),
          two("maskedFill.tensor", (x, y) -> x.maskedFill(x.gt(1), y), new int[] {3, 4}, 4),
          one("maskedSelect", x -> x.maskedSelect(x.gt(0)), 3, 4),
          one("tril", x -> x.tril(0), 2, 3, 4),
          one("tril.above", x -> x.tril(1), 3, 4),
          one("triu", x -> x.triu(-1), 4, 3),
          scatter(),
          // Rearranging
          one("flatten.axes", x -> x.flatten(0, 1), 2, 3, 2),
          one("unflatten", x -> x.unflatten(1, 2, -1), 2, 6),
          one("moveAxis", x -> x.moveAxis(0, -1), 2, 3, 2),
          one("repeat", x -> x.repeat(2, 1, 3), 3, 4),
          one("repeatInterleave", x -> x.repeatInterleave(2, 0), 3, 4),
          one("roll", x -> x.roll(-1, 1), 3, 4),
          one("unfold", x -> x.unfold(1, 3, 2), 2, 7, 2),
          one("diagonal", Tensor::diagonal, 2, 3, 4),
          one("diagonal.offset", x -> x.diagonal(-1, 2, 0), 3, 2, 4),
          one("diagonalMatrix", Tensor::diagonalMatrix, 2, 3),
          one("trace", Tensor::trace, 2, 3, 3),
          one("squeeze", Tensor::squeeze, 1, 3, 1, 4),
          // Ordering
          one("kthValue", x -> x.kthValue(2, 1).values(), 3, 4),
          one("median", x -> x.median(0).values(), 4, 3),
          one("quantile", x -> x.quantile(0.3, 1), 3, 4),
          one("unique", x -> x.unique().values(), 3, 4),
          // Running
          two("linearScan", (a, b) -> a.linearScan(b, 0), new int[] {4, 1}, 4, 3),
          one("cumprod", x -> x.cumprod(1), 3, 5),
          one("cummax", x -> x.cummax(0).values(), 5, 3),
          one("cummin", x -> x.cummin(1).values(), 3, 5),
          one("logCumSumExp", x -> x.logCumSumExp(1), 3, 5),
          // Contracting
          two("dot", Tensor::dot, new int[] {5}, 5),
          two("outer", Tensor::outer, new int[] {3}, 4),
          two("matmul.vectors", Tensor::matmul, new int[] {4}, 4),
          two("matmul.row", Tensor::matmul, new int[] {4}, 2, 4, 3),
          two("matmul.column", Tensor::matmul, new int[] {2, 3, 4}, 4),
          one("pNorm", x -> x.pNorm(3, new int[] {1}, true), 3, 4),
          one("pNorm.all", x -> x.pNorm(1.5), 3, 4),
          one("pNorm.one", x -> x.pNorm(1, 0), 3, 4),
          one("pNorm.greatest", x -> x.pNorm(Double.POSITIVE_INFINITY, 1), 3, 4),
          one("normalize", x -> x.normalize(1), 3, 4),
          two("cosineSimilarity", (x, y) -> x.cosineSimilarity(y, 1), new int[] {3, 4}, 4),
          two("distances", Tensor::distances, new int[] {3, 4}, 2, 4),
          two(
              "einsum",
              (x, y) -> Tensor.einsum("bij,bkj->bik", x, y),
              new int[] {2, 3, 4},
              2,
              2,
              4),
          of(
              "einsum.three",
              in -> Tensor.einsum("ij,jk,lk->il", in),
              new int[] {2, 3},
              new int[] {3, 4},
              new int[] {2, 4}),
          two("einsum.dots", (x, y) -> Tensor.einsum("...i,...i->...", x, y), new int[] {3, 4}, 4),
          one("einsum.diagonal", x -> Tensor.einsum("bii->bi", x), 2, 3, 3));

  /** Functions without a gradient. */
  private static final List<OpCase> OTHERS =
      List.of(
          one("trunc", Tensor::trunc, 3, 4),
          two("floorDivide", Tensor::floorDivide, new int[] {3, 4}, 4),
          one("floorDivide.number", x -> x.floorDivide(0.3), 3, 4),
          one("isInf", Tensor::isInf, 3, 4),
          two("isClose", (x, y) -> x.isClose(y, 0.5, 0.1), new int[] {3, 4}, 4),
          one("nonzero", x -> x.round().nonzero(), 3, 4),
          one("binCount", x -> x.abs().cast(DType.I32).binCount(3), 3, 4),
          one("argsort", x -> x.argsort(0, true), 3, 4),
          two(
              "searchSorted",
              (x, y) -> x.searchSorted(y.sort(0, false).values(), true),
              new int[] {3, 4},
              5));

  /** The labels of those without a gradient. */
  static final Set<String> CONSTANT =
      OTHERS.stream().map(c -> ((Composite) c.op()).label()).collect(Collectors.toSet());

  private CompositeCases() {}

  private static OpCase one(String label, UnaryOperator<Tensor> body, int... dims) {
    return OpCase.of(Composite.of(label, body), Operand.smooth(Shape.of(dims), 0));
  }

  private static OpCase two(String label, BinaryOperator<Tensor> body, int[] a, int... b) {
    return OpCase.of(
        Composite.of(label, body), Operand.smooth(Shape.of(a), 0), Operand.smooth(Shape.of(b), 1));
  }

  private static OpCase of(String label, UnaryOperatorOfAll body, int[]... dims) {
    Operand[] operands = new Operand[dims.length];
    Arrays.setAll(operands, i -> Operand.smooth(Shape.of(dims[i]), i));
    return OpCase.of(new Composite(label, in -> new Tensor[] {body.apply(in)}), operands);
  }

  /** From all inputs to one output. */
  @FunctionalInterface
  private interface UnaryOperatorOfAll {
    Tensor apply(Tensor... inputs);
  }

  private static OpCase scatter() {
    Operand index =
        Operand.of(DType.I32, Shape.of(2, 4), 3).with(Values.of(2, 0, 1, 2, 0, 1, 2, 0));
    return OpCase.of(
        new Composite("scatter", in -> new Tensor[] {in[0].scatter(in[1], in[2], 0)}),
        Operand.smooth(Shape.of(3, 4), 0),
        index,
        Operand.smooth(Shape.of(2, 4), 1));
  }

  static Stream<OpCase> all() {
    return Stream.concat(DIFFERENTIABLE.stream(), OTHERS.stream())
        .flatMap(c ->
            Stream.of(DType.F64, DType.F32)
                .flatMap(type -> Arrays.stream(Arrangement.values()).map(a -> arranged(c, type, a)))
                .distinct());
  }

  private static OpCase arranged(OpCase c, DType type, Arrangement first) {
    List<Operand> operands = new ArrayList<>();
    for (Operand x : c.operands()) {
      int next = (first.ordinal() + 2 * operands.size()) % Arrangement.values().length;
      DType of = x.dtype().isFloating() ? type : x.dtype();
      operands.add(
          new Operand(of, x.shape(), x.arrangement(), x.values()).with(Arrangement.values()[next]));
    }
    return new OpCase(c.op(), operands);
  }

  static Stream<OpCase> smooth() {
    return DIFFERENTIABLE.stream();
  }
}
