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

  @Test
  void isTheSameWorkWhicheverWayItIsWritten() {
    var task = Task.parse("lstmp f32 3,2,5,4,1,2");

    assertThat(task.isSameWorkAs(Task.parse("lstmp_by_hand f32 3,2,5,4,1,2"))).isTrue();
    assertThat(task.isSameWorkAs(Task.parse("lstmp f32 3,2,5,4,1,3"))).isFalse();
    assertThat(task.isSameWorkAs(Task.parse("lstmp f64 3,2,5,4,1,2"))).isFalse();
    assertThat(
            Task.parse("lstm f32 3,2,5,4,1").isSameWorkAs(Task.parse("reset_lstm f32 3,2,5,4,1")))
        .isFalse();
    assertThat(Table.CELLS.rows)
        .allSatisfy(row ->
            assertThat(row.entries())
                .allMatch(entry -> entry.task().isSameWorkAs(row.entries().getFirst().task())));
  }

  @Test
  void givesAsManyFeaturesAsItsCellsOrTheirProjection() {
    assertThat(Task.parse("lstm f32 3,2,5,4,1").outputs()).isEqualTo(4);
    assertThat(Task.parse("lstmp f32 3,2,5,4,1,2").outputs()).isEqualTo(2);
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
                        case LSTMP, LSTMP_BY_HAND -> "3,2,5,4,2,3";
                        default -> "3,2,5,4,2";
                      };
                  try (var work = new Carousel().prepare(Task.parse(kind + " f64 " + sizes))) {
                    work.run();
                    double norm = work.norm();
                    work.run();

                    assertThat(norm).isPositive().isEqualTo(work.norm());
                    if (kind.isRecurrent()) {
                      work.forward();
                      assertThat(work.digests())
                          .hasSizeGreaterThan(4)
                          .allSatisfy(digest -> assertThat(digest.norm()).isPositive());
                    } else {
                      assertThatExceptionOfType(UnsupportedOperationException.class)
                          .isThrownBy(work::forward);
                    }
                  }
                }));
  }
}
