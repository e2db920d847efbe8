package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Views of the facade: the right elements, in the same storage, and errors that name the axis. */
@ParameterizedClass
@MethodSource("carousel.tensor.DevicesUnderTest#all")
class ViewsTest {
  private final TensorScope scope;
  private final Tensor x;

  ViewsTest(Device device) {
    scope = TensorScope.open(device);
    x = Tensor.arange(24).reshape(2, 3, 4);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Tensor view(Tensor y) {
    assertThat(y.storage()).as("a view, not a copy").isSameAs(x.storage());
    return y;
  }

  @Test
  void reshape() {
    assertThat(view(x.reshape(4, 6)).get(1, 0)).isEqualTo(6);
    assertThat(view(x.reshape(-1)).shape()).isEqualTo(Shape.of(24));
    assertThat(view(x.reshape(2, -1, 2)).shape()).isEqualTo(Shape.of(2, 6, 2));
    assertThat(view(x.flatten()).get(23)).isEqualTo(23);
    assertThat(x.reshape(2, 3, 4)).isSameAs(x);
    assertThat(Tensor.zeros(3, 0).reshape(-1).shape()).isEqualTo(Shape.of(0));
    assertThat(Tensor.zeros(3, 0).reshape(5, -1).shape()).isEqualTo(Shape.of(5, 0));
    assertThat(Tensor.full(DType.F32, 5).reshape(1, -1).shape()).isEqualTo(Shape.of(1, 1));
    assertThat(Tensor.full(DType.F32, 5, 1, 1).reshape().item()).isEqualTo(5);
  }

  @Test
  void reshapeCopiesWhatStridesCannotSay() {
    Tensor turned = x.transpose(0, 2);
    Tensor flat = turned.reshape(24);
    assertThat(flat.storage()).isNotSameAs(x.storage());
    assertThat(flat.get(1)).isEqualTo(12);
    assertThat(view(turned.reshape(4, 3, 1, 2)).get(1, 2, 0, 1)).isEqualTo(21);
  }

  @Test
  void reshapeErrors() {
    assertThatThrownBy(() -> x.reshape(5, 5))
        .isInstanceOf(TensorException.class)
        .hasMessage("reshape: [2,3,4] has 24 elements, [5,5] has 25");
    assertThatThrownBy(() -> x.reshape(-1, 5))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("[2,3,4] (24 elements) does not divide into [-1, 5]");
    assertThatThrownBy(() -> x.reshape(-1, -1)).hasMessageContaining("more than one size is -1");
    assertThatThrownBy(() -> x.reshape(-1, 0)).hasMessageContaining("does not divide");
    assertThatThrownBy(() -> x.reshape(-2, -12)).hasMessageContaining("negative size");
    assertThatThrownBy(() -> x.reshape(-1, -24)).hasMessageContaining("negative size");
    int big = 1 << 16;
    // Their product wraps to 0 in 64 bits.
    assertThatThrownBy(() -> x.reshape(-1, big, big, big, big)).isInstanceOf(TensorException.class);
  }

  @Test
  void axesComeAndGo() {
    assertThat(view(x.unsqueeze(-1)).shape()).isEqualTo(Shape.of(2, 3, 4, 1));
    assertThat(view(x.unsqueeze(0)).shape()).isEqualTo(Shape.of(1, 2, 3, 4));
    assertThat(view(x.unsqueeze(1).squeeze(1)).shape()).isEqualTo(x.shape());
    assertThat(view(x.transpose(0, 2).unsqueeze(1)).shape()).isEqualTo(Shape.of(4, 1, 3, 2));
    assertThatThrownBy(() -> x.squeeze(1))
        .isInstanceOf(TensorException.class)
        .hasMessage("squeeze: axis 1 of [2,3,4] has size 3, not 1");
  }

  @Test
  void permute() {
    Tensor y = view(x.permute(2, 0, -2));
    assertThat(y.shape()).isEqualTo(Shape.of(4, 2, 3));
    assertThat(y.get(3, 1, 2)).isEqualTo(x.get(1, 2, 3));
    assertThat(view(x.transpose(-1, 0)).get(3, 2, 1)).isEqualTo(x.get(1, 2, 3));
    assertThatThrownBy(() -> x.permute(0, 1, 1))
        .hasMessageContaining("permute: axis 1 is named twice");
    assertThatThrownBy(() -> x.permute(0, 1))
        .hasMessageContaining("does not order the 3 axes of [2,3,4]");
    assertThatThrownBy(() -> x.permute(0, 1, 3)).hasMessageContaining("axis 3 is out of range");
  }

  @Test
  void expand() {
    Tensor row = view(x.select(0, 1).narrow(0, 2, 1));
    assertThat(view(row.expand(5, 3, 4)).get(4, 0, 3)).isEqualTo(23);
    assertThat(row.expand(0, 4).size()).isZero();
    assertThat(row.expand(row.shape())).isSameAs(row);
    assertThatThrownBy(() -> x.expand(2, 3, 5))
        .isInstanceOf(TensorException.class)
        .hasMessageContaining("expand");
    assertThatThrownBy(() -> x.expand(3, 4)).hasMessageContaining("only axes of size 1");
  }

  @Test
  void narrowAndSlice() {
    assertThat(view(x.narrow(1, 1, 2)).get(0, 0, 0)).isEqualTo(4);
    assertThat(view(x.narrow(-1, 4, 0)).shape()).isEqualTo(Shape.of(2, 3, 0));
    assertThat(view(x.slice(2, 1, 4, 2)).select(0, 0).select(0, 0).toIntArray())
        .containsExactly(1, 3);
    assertThat(x.slice(2, -3, -1, 1).select(0, 0).select(0, 0).toIntArray()).containsExactly(1, 2);
    assertThat(x.slice(2, -99, 99, 3).select(0, 0).select(0, 0).toIntArray()).containsExactly(0, 3);
    assertThat(x.slice(2, 3, 1, 1).dim(2)).isZero();
    assertThat(x.slice(2, 99, 100, 1).dim(2)).isZero();
    assertThat(x.slice(2, 0, Integer.MAX_VALUE, Integer.MAX_VALUE).dim(2)).isEqualTo(1);
    assertThat(x.slice(2, Integer.MIN_VALUE, Integer.MAX_VALUE, 1).dim(2)).isEqualTo(4);
    assertThatThrownBy(() -> x.slice(0, 0, 2, 0)).hasMessageContaining("use flip");
    for (int[] bad : new int[][] {{-1, 2}, {0, 4}, {3, 1}, {0, -1}, {1, Integer.MAX_VALUE}}) {
      assertThatThrownBy(() -> x.narrow(1, bad[0], bad[1]))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("narrow: positions " + bad[0])
          .hasMessageContaining("axis 1 do not lie within [2,3,4]");
    }
  }

  @Test
  void select() {
    assertThat(view(x.select(1, 2)).shape()).isEqualTo(Shape.of(2, 4));
    assertThat(x.select(-1, -1).get(1, 2)).isEqualTo(23);
    assertThatThrownBy(() -> x.select(1, 3))
        .isInstanceOf(TensorException.class)
        .hasMessage("select: index 3 is out of range for axis 1 of [2,3,4]");
    assertThatThrownBy(() -> x.select(1, -4)).isInstanceOf(TensorException.class);
  }

  @Test
  void chunksAndSplits() {
    assertThat(shapes(x.chunk(2, 2))).containsExactly(Shape.of(2, 3, 2), Shape.of(2, 3, 2));
    assertThat(shapes(x.chunk(2, 1))).containsExactly(Shape.of(2, 2, 4), Shape.of(2, 1, 4));
    assertThat(x.chunk(Integer.MAX_VALUE, 1)).hasSize(3);
    assertThat(shapes(x.split(3, -1))).containsExactly(Shape.of(2, 3, 3), Shape.of(2, 3, 1));
    assertThat(x.split(Integer.MAX_VALUE, -1)).hasSize(1);
    List<Tensor> parts = x.split(List.of(1, 0, 3), 2);
    assertThat(shapes(parts))
        .containsExactly(Shape.of(2, 3, 1), Shape.of(2, 3, 0), Shape.of(2, 3, 3));
    assertThat(view(parts.getLast()).get(0, 0, 0)).isEqualTo(1);
  }

  /** So that gates are taken apart also where the batch is empty. */
  @Test
  void anEmptyAxisHasAsManyChunks() {
    assertThat(shapes(Tensor.zeros(3, 0).chunk(4, 1))).hasSize(4).containsOnly(Shape.of(3, 0));
    assertThat(shapes(Tensor.zeros(3, 0).split(4, 1))).containsExactly(Shape.of(3, 0));
  }

  @Test
  void chunkAndSplitErrors() {
    assertThatThrownBy(() -> x.chunk(0, 0)).hasMessageContaining("chunk: wants at least 1 piece");
    assertThatThrownBy(() -> x.split(0, 0))
        .hasMessageContaining("split: the size must be at least 1");
    int big = 1 << 30;
    for (List<Integer> bad :
        List.of(
            List.of(1, 2), List.of(5, -1), List.<Integer>of(), List.of(big, big, big, big, 4))) {
      assertThatThrownBy(() -> x.split(bad, 2))
          .isInstanceOf(TensorException.class)
          .hasMessageContaining("do not sum to axis 2 of [2,3,4]");
    }
  }

  @Test
  void unbind() {
    List<Tensor> rows = x.unbind(1);
    assertThat(shapes(rows)).hasSize(3).containsOnly(Shape.of(2, 4));
    assertThat(view(rows.get(2)).get(1, 3)).isEqualTo(23);
    assertThat(Tensor.zeros(0, 2).unbind(0)).isEmpty();
  }

  @Test
  void flip() {
    assertThat(view(x.flip(0, -1)).get(0, 0, 0)).isEqualTo(15);
    assertThat(view(x.flip(1).flip(1)).get(1, 1, 1)).isEqualTo(x.get(1, 1, 1));
    assertThat(x.flip().get(0, 1, 0)).isEqualTo(4);
    assertThat(Tensor.zeros(0).flip(0).size()).isZero();
  }

  @Test
  void copiesHaveTheirOwnStorage() {
    assertThat(x.contiguous()).isSameAs(x);
    Tensor turned = x.transpose(0, 2).contiguous();
    assertThat(turned.layout().isContiguous()).isTrue();
    assertThat(turned.storage()).isNotSameAs(x.storage());
    assertThat(turned.sameValues(x.transpose(0, 2))).isTrue();
    assertThat(x.copy().storage()).isNotSameAs(x.storage());
    assertThat(view(x.detach()).sameValues(x)).isTrue();
  }

  @Test
  void viewsOfViews() {
    Tensor y = x.permute(1, 2, 0).slice(1, 1, 4, 2).flip(0).narrow(0, 0, 2).select(2, 1);
    assertThat(view(y).shape()).isEqualTo(Shape.of(2, 2));
    assertThat(y.toIntArray()).containsExactly(21, 23, 17, 19);
  }

  private static List<Shape> shapes(List<Tensor> tensors) {
    return tensors.stream().map(Tensor::shape).toList();
  }
}
