package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Layouts: that views address the elements they should, found by listing them. */
class LayoutTest {

  /** The places in storage of all elements, in row-major order. */
  private static List<Long> places(Layout layout) {
    List<Long> places = new ArrayList<>();
    collect(layout, places);
    return places;
  }

  private static void collect(Layout layout, List<Long> places) {
    if (layout.shape().rank() == 0) {
      places.add(layout.offset());
      return;
    }
    for (int i = 0; i < layout.shape().dim(0); i++) {
      collect(layout.select(0, i), places);
    }
  }

  @Test
  void aDenseLayoutVisitsEveryPlaceInOrder() {
    var l = Layout.contiguous(Shape.of(2, 3, 2));
    assertThat(places(l)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L);
    assertThat(l.strides()).containsExactly(6, 2, 1);
    assertThat(l.isContiguous()).isTrue();
  }

  @Test
  void viewsAddressWhatTheirNamesSay() {
    var l = Layout.contiguous(Shape.of(2, 4));
    assertThat(places(l.permute(1, 0))).containsExactly(0L, 4L, 1L, 5L, 2L, 6L, 3L, 7L);
    assertThat(places(l.slice(1, 1, 2, 2))).containsExactly(1L, 3L, 5L, 7L);
    assertThat(places(l.slice(1, 3, -1, 4))).containsExactly(3L, 2L, 1L, 0L, 7L, 6L, 5L, 4L);
    assertThat(places(l.select(0, 1))).containsExactly(4L, 5L, 6L, 7L);
    assertThat(places(l.select(1, 2).expand(Shape.of(2, 2)))).containsExactly(2L, 6L, 2L, 6L);
  }

  @Test
  void sizesOfOneAndZeroAreAlwaysDense() {
    assertThat(Layout.contiguous(Shape.of(3, 1, 2)).permute(1, 0, 2).isContiguous()).isTrue();
    assertThat(Layout.contiguous(Shape.of(3, 0)).permute(1, 0).isContiguous()).isTrue();
    assertThat(Layout.contiguous(Shape.of(3, 4)).slice(1, 0, 2, 2).isContiguous()).isFalse();
    assertThat(Layout.contiguous(Shape.of(3, 4)).slice(0, 1, 1, 2).isContiguous()).isTrue();
    assertThat(Layout.contiguous(Shape.of(1)).expand(Shape.of(4)).isContiguous()).isFalse();
  }

  @Test
  void knowsWhetherElementsShareAPlace() {
    var row = Layout.contiguous(Shape.of(1, 3));
    assertThat(row.expand(Shape.of(2, 3)).repeats()).isTrue();
    assertThat(row.expand(Shape.of(0, 3)).repeats()).isFalse();
    assertThat(row.repeats()).isFalse();
    assertThat(row.slice(1, 2, -1, 3).repeats()).isFalse();
  }

  @Test
  void nothingReachesBeyondAnAxis() {
    var l = Layout.contiguous(Shape.of(2, 4));
    for (int[] s :
        new int[][] {{-1, 1, 2}, {0, 1, 5}, {3, 2, 2}, {1, -1, 3}, {4, 1, 1}, {0, 1, -1}}) {
      assertThatThrownBy(() -> l.slice(1, s[0], s[1], s[2]))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("do not lie within axis 1 of [2,4]");
    }
    assertThat(l.slice(1, 4, 1, 0).shape()).isEqualTo(Shape.of(2, 0));
    assertThatThrownBy(() -> l.select(1, 4)).isInstanceOf(TensorException.class);
    assertThatThrownBy(() -> l.select(1, -1)).isInstanceOf(TensorException.class);
  }

  @Test
  void isAValue() {
    var l = Layout.contiguous(Shape.of(2, 4));
    assertThat(l)
        .isEqualTo(Layout.contiguous(Shape.of(2, 4)))
        .hasSameHashCodeAs(Layout.contiguous(Shape.of(2, 4)))
        .isNotEqualTo(l.slice(1, 1, 1, 3))
        .isNotEqualTo(l.permute(1, 0))
        .hasToString("[2,4] strides [4,1] offset 0");
  }

  /**
   * Random views of random shapes, reshaped at random: where a reshape exists it must address the same
   * places in the same order; where it is refused, no strides at all could have done it.
   */
  @Test
  void reshapesKeepTheOrderAndAreRefusedOnlyWhereNoStridesDo() {
    var random = new SplittableRandom(5);
    int viewed = 0;
    int refused = 0;
    for (int trial = 0; trial < 20_000; trial++) {
      Layout view = randomView(random);
      Shape target = randomFactors(random, (int) view.shape().size());
      Layout reshaped = view.reshape(target);
      Layout possible = stridesFor(places(view), target);
      if (reshaped == null) {
        refused++;
        assertThat(possible).as("%s as %s", view, target).isNull();
      } else {
        viewed++;
        assertThat(reshaped.shape()).isEqualTo(target);
        assertThat(places(reshaped)).as("%s as %s", view, target).isEqualTo(places(view));
      }
    }
    assertThat(viewed).isGreaterThan(2000);
    assertThat(refused).isGreaterThan(2000);
  }

  private static Layout randomView(SplittableRandom random) {
    int rank = random.nextInt(1, 5);
    int[] dims = new int[rank];
    for (int i = 0; i < rank; i++) {
      dims[i] = random.nextInt(1, 5);
    }
    var l = Layout.contiguous(Shape.of(dims));
    for (int step = random.nextInt(4); step > 0; step--) {
      int axis = random.nextInt(rank);
      int n = l.shape().dim(axis);
      switch (random.nextInt(5)) {
        case 0 -> {
          int[] order = new int[rank];
          for (int k = 0; k < rank; k++) {
            order[k] = (k + axis) % rank;
          }
          l = l.permute(order);
        }
        case 1 -> l = l.slice(axis, n - 1, -1, n);
        case 2 -> l = l.slice(axis, 0, 2, (n + 1) / 2);
        case 3 -> l = l.slice(axis, n / 2, 1, n - n / 2);
        default -> {
          if (n == 1) {
            l = l.expand(l.shape().with(axis, 3));
          }
        }
      }
    }
    return l;
  }

  /** A random shape of so many elements, ones among its sizes. */
  private static Shape randomFactors(SplittableRandom random, int size) {
    List<Integer> dims = new ArrayList<>();
    int rest = size;
    for (int f = 2; rest > 1; f++) {
      while (rest % f == 0) {
        if (!dims.isEmpty() && random.nextBoolean()) {
          dims.set(dims.size() - 1, dims.getLast() * f);
        } else {
          dims.add(random.nextInt(dims.size() + 1), f);
        }
        rest /= f;
      }
    }
    if (random.nextInt(3) == 0) {
      dims.add(random.nextInt(dims.size() + 1), 1);
    }
    return Shape.of(dims.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The layout of a shape over given places, if strides can express it: found from the places alone. */
  private static @Nullable Layout stridesFor(List<Long> places, Shape target) {
    long[] strides = new long[target.rank()];
    int block = 1;
    for (int k = target.rank() - 1; k >= 0; k--) {
      strides[k] = target.dim(k) > 1 ? places.get(block) - places.getFirst() : 0;
      block *= target.dim(k);
    }
    for (int i = 0; i < places.size(); i++) {
      long at = places.getFirst();
      int rest = i;
      for (int k = target.rank() - 1; k >= 0; k--) {
        at += rest % target.dim(k) * strides[k];
        rest /= target.dim(k);
      }
      if (at != places.get(i)) {
        return null;
      }
    }
    return Layout.contiguous(target);
  }
}
