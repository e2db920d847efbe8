package carousel.tensor.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.jvm.FreshJvm;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The same inputs give the same bits whether the loops are interpreted or compiled. When the compiler
 * gets to a loop depends on time; a result that changed then would change with every run.
 */
class WarmthTest {

  /** All that a row runs is compiled, by both compilers, within a few hundred runs: twenty times as early as it would be. */
  @Test
  void interpretedAndCompiledLoopsGiveTheSameBits() {
    List<String> cold = rows(FreshJvm.run(Program.class, "-Xint"));
    List<String> warm =
        rows(
            FreshJvm.run(
                Program.class, "-Dtimes=300", "-Xbatch", "-XX:CompileThresholdScaling=0.05"));
    assertThat(cold).hasSizeGreaterThan(2 * Unary.values().length);
    var changed = new ArrayList<>(warm);
    changed.removeAll(cold);
    assertThat(changed).as("rows whose bits changed").isEmpty();
    assertThat(warm).hasSameSizeAs(cold);
  }

  private static List<String> rows(FreshJvm.Outcome outcome) {
    assertThat(outcome.exit()).as(outcome.output()).isZero();
    return outcome.output().lines().filter(line -> line.contains(" bits ")).toList();
  }

  /** Prints a hash of what each row gives, after it ran the given number of times. */
  static final class Program {
    private static final int SIZE = 301;

    public static void main(String[] args) {
      for (DType type : List.of(DType.F32, DType.F64)) {
        for (Unary op : Unary.values()) {
          if (op.domain().accepts(type)) {
            print(op + " " + type, type, (a, b) -> Op.apply(op, a));
          }
        }
        for (Binary op : Binary.values()) {
          if (op.domain().accepts(type)) {
            print(op + " " + type, type, (a, b) -> Op.apply(op, a, b));
          }
        }
        print("softmax " + type, type, (a, b) -> a.softmax(0));
        print("logSoftmax " + type, type, (a, b) -> a.logSoftmax(0));
        print("logSumExp " + type, type, (a, b) -> a.logSumExp());
        print("uniform " + type, type, (a, b) -> Philox.of(3).uniform(type, 0, 1, SIZE));
        print("sum " + type, type, (a, b) -> a.sum());
        print("norm " + type, type, (a, b) -> a.norm());
        print(
            "matmul " + type,
            type,
            (a, b) ->
                a.narrow(0, 0, 300).reshape(15, 20).matmul(b.narrow(0, 0, 300).reshape(20, 15)));
      }
    }

    private interface Row {
      Tensor apply(Tensor a, Tensor b);
    }

    private static void print(String name, DType type, Row row) {
      try (var scope = TensorScope.open()) {
        Tensor a = Philox.of(1).normal(type, 0, 3, SIZE);
        Tensor b = Philox.of(2).normal(type, 0, 3, SIZE);
        List<Tensor> inputs = new ArrayList<>(List.of(a, b));
        for (int i = 0; i < Integer.getInteger("times", 0); i++) {
          try (var step = TensorScope.open()) {
            row.apply(inputs.getFirst(), inputs.getLast());
          }
        }
        double[] values = row.apply(a, b).cast(DType.F64).toDoubleArray();
        System.out.println(name + " bits " + Arrays.hashCode(values));
      }
    }
  }
}
