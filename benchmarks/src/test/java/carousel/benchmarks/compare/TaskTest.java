package carousel.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class TaskTest {

  @Test
  void isReadAsItIsWritten() {
    var task = Task.parse("gru_after f64 35,20,200,200,1");

    assertThat(task.kind()).isEqualTo(Task.Kind.GRU_AFTER);
    assertThat(task.dtype()).isEqualTo(DType.F64);
    assertThat(task.shape()).isEqualTo("35,20,200,200,1");
    assertThat(task).hasToString("gru_after f64 35,20,200,200,1");
    assertThat(Task.parse("gru_after f64 35x20x200x200x1")).hasToString(task.toString());
  }

  @Test
  void saysHowManySizesItWants() {
    assertThatThrownBy(() -> Task.parse("gemm f32 1,2"))
        .hasMessage("GEMM takes 3 sizes, got [1, 2]");
  }

  /** Every kind, small: it runs twice with the same result, and frees what it made. */
  @TestFactory
  Stream<DynamicTest> isDoneByUs() {
    return Arrays.stream(Task.Kind.values())
        .map(kind ->
            DynamicTest.dynamicTest(
                kind.toString(),
                () -> {
                  String sizes =
                      switch (kind) {
                        case GEMM -> "3,4,5";
                        case LANGUAGE_MODEL -> "3,2,4,2,11";
                        default -> "3,2,5,4,2";
                      };
                  try (var work = new Carousel().prepare(Task.parse(kind + " f64 " + sizes))) {
                    work.run();
                    double norm = work.norm();
                    work.run();

                    assertThat(norm).isPositive().isEqualTo(work.norm());
                    if (kind.isRecurrent()) {
                      work.forward();
                    } else {
                      assertThatExceptionOfType(UnsupportedOperationException.class)
                          .isThrownBy(work::forward);
                    }
                  }
                }));
  }
}
