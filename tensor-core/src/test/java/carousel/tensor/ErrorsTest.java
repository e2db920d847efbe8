package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import carousel.tensor.op.Transfer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What the user reads when a call is wrong: the op, both sides, and what to do. */
class ErrorsTest {
  private record Wrong(ThrowingCallable call, String... says) {}

  private static final Map<String, Wrong> TABLE = new LinkedHashMap<>();

  private static void wrong(String name, ThrowingCallable call, String... says) {
    TABLE.put(name, new Wrong(call, says));
  }

  private static Tensor f32(int... dims) {
    return Tensor.zeros(dims);
  }

  private static Tensor i32(int... dims) {
    return Tensor.zeros(DType.I32, dims);
  }

  static {
    // Element types.
    wrong(
        "types differ",
        () -> f32(2).add(Tensor.zeros(DType.F64, 2)),
        "add: element types differ: F32 [2] and F64 [2]",
        "cast(DType.F32)");
    wrong(
        "not floating",
        () -> i32(2).exp(),
        "exp: takes F32 or F64, got I32 [2]",
        "cast(DType.F32)");
    wrong(
        "bool arithmetic",
        () -> f32(2).gt(0).add(f32(2).gt(0)),
        "add: takes F32, F64 or I32, got BOOL");
    wrong("not logical", () -> f32(2).not(), "not: takes BOOL, got F32 [2]", "ne(0)");
    wrong("whole division", () -> i32(2).div(2), "div: takes F32 or F64, got I32");
    wrong("mean of whole numbers", () -> i32(2).mean(), "mean: takes F32 or F64, got I32");
    wrong(
        "mask of where",
        () -> Tensor.where(f32(2), f32(2), f32(2)),
        "where: the mask must be BOOL, got F32 [2]",
        "ne(0)");
    wrong(
        "sides of where",
        () -> Tensor.where(f32(2).gt(0), f32(2), i32(2)),
        "where: element types differ: F32 [2] and I32 [2]");
    wrong("types of clamp", () -> f32(2).clamp(i32(1), i32(1)), "clamp: element types differ");
    wrong(
        "types of matmul",
        () -> f32(2, 2).matmul(Tensor.zeros(DType.F64, 2, 2)),
        "matmul: element types differ");
    wrong("whole matmul", () -> i32(2, 2).matmul(i32(2, 2)), "matmul: takes F32 or F64");
    wrong("softmax of whole numbers", () -> i32(2).softmax(0), "softmax: takes F32 or F64");
    wrong(
        "logSoftmax of whole numbers", () -> i32(2).logSoftmax(0), "logSoftmax: takes F32 or F64");
    wrong(
        "sort of a mask",
        () -> f32(2).gt(0).sort(0, true),
        "sort: takes F32, F64 or I32, got BOOL");
    // Shapes.
    wrong(
        "broadcast",
        () -> f32(2, 3).mul(f32(4)),
        "mul: shapes do not broadcast: [2,3] and [4]",
        "axis -1 (3 and 4)");
    wrong(
        "broadcast of three",
        () -> f32(2).fma(f32(3), f32(2)),
        "fma: shapes do not broadcast: [2] and [3]");
    wrong(
        "inner dims",
        () -> f32(32, 128).matmul(f32(64, 512)),
        "matmul: inner dims differ: [32,128] × [64,512] (128 and 64)",
        "transpose");
    wrong(
        "batched inner dims",
        () -> f32(5, 2, 3).matmul(f32(4, 2)),
        "matmul: inner dims differ: [5,2,3] × [4,2]");
    wrong(
        "scalars",
        () -> f32().matmul(f32(3, 2)),
        "matmul: wants matrices, got [] × [3,2]",
        "unsqueeze");
    wrong("vectors", () -> f32(2).matmul(f32(3, 2)), "matmul: inner dims differ: [2] × [3,2]");
    wrong(
        "batch axes",
        () -> f32(2, 2, 2).matmul(f32(3, 2, 2)),
        "matmul: shapes do not broadcast: [2] and [3]");
    wrong(
        "concat sizes",
        () -> Tensor.concat(List.of(f32(2, 3), f32(2, 4)), 0),
        "concat: shapes differ beside axis 0: [2,3] and [2,4]");
    wrong(
        "concat ranks",
        () -> Tensor.concat(List.of(f32(2, 3), f32(3)), 0),
        "concat: shapes differ",
        "[2,3] and [3]");
    wrong(
        "concat types",
        () -> Tensor.concat(List.of(f32(2), i32(2)), 0),
        "concat: element types differ");
    wrong(
        "concat of nothing",
        () -> Tensor.concat(List.of(), 0),
        "concat: wants at least one tensor");
    wrong(
        "stack shapes",
        () -> Tensor.stack(List.of(f32(2), f32(3)), 0),
        "stack: input 1 must have shape [2], got [3]");
    wrong("stack of nothing", () -> Tensor.stack(List.of(), 0), "stack: wants at least one tensor");
    wrong(
        "stack axis",
        () -> Tensor.stack(List.of(f32(2)), 3),
        "stack: no axis 3 can be added to [2]");
    wrong(
        "einsum past I32",
        () -> Tensor.einsum("i->", Tensor.full(DType.I32, 1 << 30, 4)),
        "einsum: the result does not fit I32");
    wrong("sumTo", () -> f32(3).sumTo(Shape.of(2)), "sumTo: shapes do not broadcast: [3] and [2]");
    wrong(
        "sumTo of more axes",
        () -> f32(3).sumTo(Shape.of(2, 3)),
        "sumTo: [2,3] does not broadcast to [3]");
    wrong(
        "pad",
        () -> f32(3).pad(0, -1, 0, 0),
        "pad: amounts must be 0 or more, got -1 and 0",
        "narrow");
    wrong("topK", () -> f32(2, 3).topK(4, 1), "topK: k = 4 of an axis of 3 elements in [2,3]");
    wrong("negative topK", () -> f32(3).topK(-1, 0), "topK: k = -1");
    // Axes.
    wrong("axis", () -> f32(2, 3).sum(2), "sum: axis 2 is out of range for shape [2,3] of rank 2");
    wrong("axis of gather", () -> f32(3).gather(i32(1), 1), "gather: axis 1 is out of range");
    wrong("axis of narrow", () -> f32(3).narrow(-2, 0, 1), "narrow: axis -2 is out of range");
    wrong("axis of transpose", () -> f32(3).transpose(0, 1), "transpose: axis 1 is out of range");
    wrong(
        "axis of unsqueeze", () -> f32(3).unsqueeze(3), "unsqueeze: no axis 3 can be added to [3]");
    wrong("axis twice", () -> f32(2, 3).sum(0, -2), "sum: axis 0 is named twice in [0, -2]");
    wrong(
        "softmax of a scalar",
        () -> f32().softmax(-1),
        "softmax: axis -1 is out of range for shape []");
    wrong(
        "max of nothing",
        () -> f32(2, 0).max(1),
        "max: no elements to choose from: [2,0] over axes [1]");
    wrong("argmin of nothing", () -> f32(0).argmin(0), "argmin: no elements to choose from: [0]");
    // Indices.
    wrong(
        "index type",
        () -> f32(3).gather(f32(3), 0),
        "gather: the index must be I32, got F32 [3]",
        "cast(DType.I32)");
    wrong(
        "index rank",
        () -> f32(2, 3).gather(i32(2), 0),
        "gather: the index [2] has rank 1, what it looks into, [2,3], rank 2");
    wrong(
        "index size",
        () -> f32(2, 3).gather(i32(2, 4), 0),
        "gather: index [2,4] does not lie within [2,3]");
    wrong(
        "gather range",
        () -> f32(3).gather(Tensor.of(1, 3), 0),
        "gather: index 3 is out of range [0,3)");
    wrong(
        "gather negative",
        () -> f32(3).gather(Tensor.of(-1), 0),
        "gather: index -1 is out of range [0,3)");
    wrong(
        "scatter range",
        () -> f32(3).scatterAdd(Tensor.of(3), f32(1), 0),
        "scatterAdd: index 3 is out of range [0,3)");
    wrong(
        "scatter source",
        () -> f32(3).scatterAdd(i32(2), f32(3), 0),
        "scatterAdd: the source must have shape [2], got [3]");
    wrong(
        "scatter types",
        () -> f32(3).scatterAdd(i32(2), i32(2), 0),
        "scatterAdd: element types differ");
    wrong(
        "select range",
        () -> f32(3, 2).indexSelect(Tensor.of(7), 0),
        "indexSelect: index 7 is out of range [0,3)");
    wrong(
        "select type",
        () -> f32(3, 2).indexSelect(f32(1), 0),
        "indexSelect: the index must be I32");
    wrong(
        "add range",
        () -> f32(3, 2).indexAdd(Tensor.of(-2), f32(1, 2), 0),
        "indexAdd: index -2 is out of range [0,3)");
    wrong(
        "add source",
        () -> f32(3, 2).indexAdd(i32(4), f32(3, 2), 0),
        "indexAdd: the source must have shape [4,2], got [3,2]");
    // Devices.
    wrong(
        "devices differ",
        () -> {
          try (var elsewhere = TensorScope.open(Device.reference())) {
            f32(2).to(Device.cpu()).add(f32(2));
          }
        },
        "add: operands live on different devices: F32 [2] on cpu, F32 [2] on reference",
        "to(device)");
    wrong(
        "transfer from elsewhere",
        () -> new Transfer(Device.reference(), Device.cpu()).evaluate(f32(2)),
        "to: moves from reference to cpu, but the tensor lives on cpu");
    wrong(
        "no such device",
        () -> Device.of("abacus"),
        "there is no 'abacus' here; found [cpu, reference",
        "driver");
  }

  @TestFactory
  Stream<DynamicTest> namesTheOpBothSidesAndTheRemedy() {
    return TABLE.entrySet().stream()
        .map(e ->
            DynamicTest.dynamicTest(
                e.getKey(),
                () -> {
                  try (var scope = TensorScope.open()) {
                    Throwable thrown = catchThrowable(e.getValue().call());
                    assertThat(thrown)
                        .isInstanceOf(TensorException.class)
                        .hasMessageContainingAll(e.getValue().says());
                  }
                }));
  }
}
