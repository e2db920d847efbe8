package carousel.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.TensorScope;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchingTest {
  private static int[] flat(List<int[]> batches) {
    return batches.stream().flatMapToInt(Arrays::stream).toArray();
  }

  @Test
  void everyOrderIsEquallyLikely() {
    var random = Philox.of(5);
    var counts = new HashMap<String, Integer>();
    int draws = 24_000;
    for (int i = 0; i < draws; i++) {
      counts.merge(Arrays.toString(Shuffle.permutation(4, random)), 1, Integer::sum);
    }
    assertThat(counts).hasSize(24);
    // Each count is binomial with mean 1000 and deviation 31; χ² has 23 degrees of freedom.
    double chi =
        counts.values().stream().mapToDouble(c -> (c - 1000.0) * (c - 1000.0) / 1000).sum();
    assertThat(chi).isBetween(6.0, 53.0);
  }

  @Test
  void oneSeedGivesOneOrder() {
    var order = Shuffle.permutation(1000, Philox.of(1));
    assertThat(order).isEqualTo(Shuffle.permutation(1000, Philox.of(1)));
    assertThat(order).isNotEqualTo(Shuffle.permutation(1000, Philox.of(2)));
    assertThat(Arrays.stream(order).sorted().toArray())
        .isEqualTo(IntStream.range(0, 1000).toArray());
    assertThat(Shuffle.permutation(0, Philox.of(1))).isEmpty();
    assertThat(Shuffle.permutation(1, Philox.of(1))).containsExactly(0);
  }

  @ParameterizedTest
  @CsvSource({"0,3", "1,3", "3,3", "10,3", "12,4", "5,100"})
  void everyExampleIsInOneBatch(int examples, int size) {
    var lengths = IntStream.range(0, examples).map(i -> i * 7 % 5).toArray();
    for (var batches :
        List.of(
            Batching.inOrder(examples, size),
            Batching.shuffled(examples, size, Philox.of(3)),
            Batching.byLength(lengths, size, Philox.of(3)))) {
      assertThat(batches).hasSize(Math.ceilDiv(examples, size));
      assertThat(batches.stream().filter(batch -> batch.length != size).count())
          .isLessThanOrEqualTo(1);
      assertThat(Arrays.stream(flat(batches)).sorted().toArray())
          .isEqualTo(IntStream.range(0, examples).toArray());
    }
    assertThat(flat(Batching.inOrder(examples, size))).isSorted();
  }

  @Test
  void batchesByLengthHoldNeighboursInLength() {
    var random = Philox.of(9);
    var lengths = IntStream.range(0, 1000).map(_ -> random.nextInt(50)).toArray();
    var batches = Batching.byLength(lengths, 20, Philox.of(4));
    for (var batch : batches) {
      var sorted = Arrays.stream(batch).map(i -> -lengths[i]).toArray();
      assertThat(sorted).isSorted();
    }
    // Cutting a sorted list: the ranges of two batches share no more than an end.
    int padded = batches.stream().mapToInt(b -> b.length * lengths[b[0]]).sum();
    int real = Arrays.stream(lengths).sum();
    assertThat(padded - real).isLessThanOrEqualTo(20 * 50);
    assertThat(batches.stream().map(b -> lengths[b[0]]).toList())
        .isNotEqualTo(batches.stream().map(b -> lengths[b[0]]).sorted().toList().reversed());
    assertThat(flat(Batching.byLength(lengths, 20, Philox.of(4)))).isEqualTo(flat(batches));
    assertThat(flat(Batching.byLength(lengths, 20, Philox.of(5)))).isNotEqualTo(flat(batches));
  }

  @Test
  void refusesBatchesOfNothing() {
    assertThatThrownBy(() -> Batching.inOrder(3, 0))
        .hasMessage("batching: size must be 1 or more, got 0");
    assertThatThrownBy(() -> PaddedBatch.of(List.of(), 0))
        .hasMessage("padded batch: it needs at least one sequence");
    var longest = new int[50_000];
    assertThatThrownBy(() -> PaddedBatch.of(Collections.nCopies(50_000, longest), 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("50000 sequences, the longest of 50000, are 2500000000 numbers");
  }

  @Test
  void padsToTheLongest() {
    try (var _ = TensorScope.open()) {
      var batch = PaddedBatch.of(List.of(new int[] {1, 2, 3}, new int[0], new int[] {4}), -100);
      assertThat(batch.tokens().shape()).isEqualTo(Shape.of(3, 3));
      assertThat(batch.tokens().toIntArray())
          .containsExactly(1, -100, 4, 2, -100, -100, 3, -100, -100);
      assertThat(batch.lengths().dtype()).isEqualTo(DType.I32);
      assertThat(batch.lengths().toIntArray()).containsExactly(3, 0, 1);
      assertThat(batch.mask().dtype()).isEqualTo(DType.BOOL);
      assertThat(batch.mask().toBooleanArray())
          .containsExactly(true, false, true, true, false, false, true, false, false);
      var empty = PaddedBatch.of(List.of(new int[0], new int[0]), 0);
      assertThat(empty.tokens().shape()).isEqualTo(Shape.of(0, 2));
      assertThat(empty.mask().shape()).isEqualTo(Shape.of(0, 2));
    }
  }
}
