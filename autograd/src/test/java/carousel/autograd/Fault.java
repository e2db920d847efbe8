package carousel.autograd;

import static carousel.tensor.DType.F64;

import carousel.autograd.GradReport.Kind;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.function.Supplier;

/**
 * A program with a fault.
 *
 * @param what the fault
 * @param found what is to be found
 * @param said a part of what the report says of it
 * @param program makes the program, with state of its own
 * @param inputs makes its inputs
 */
record Fault(
    String what,
    Kind found,
    String said,
    Supplier<GradCheck.Program> program,
    Supplier<Tensor[]> inputs) {
  static Fault of(String what, Kind found, String said, GradCheck.Program program) {
    return of(what, found, said, program, Fault::two);
  }

  static Fault of(
      String what, Kind found, String said, GradCheck.Program program, Supplier<Tensor[]> inputs) {
    return new Fault(what, found, said, () -> program, inputs);
  }

  static Tensor normal(long seed, int... dims) {
    return Philox.of(seed).normal(F64, 0, 1, dims);
  }

  static Supplier<Tensor[]> one(int... dims) {
    return () -> new Tensor[] {normal(1, dims)};
  }

  static Supplier<Tensor[]> numbers(double... values) {
    return () -> new Tensor[] {Tensor.of(values)};
  }

  static Tensor[] two() {
    return new Tensor[] {normal(1, 2, 3), normal(2, 2, 3)};
  }

  @Override
  public String toString() {
    return what;
  }
}
