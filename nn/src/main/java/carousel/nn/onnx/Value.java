package carousel.nn.onnx;

import carousel.nn.Layer;
import carousel.nn.recurrent.Sequence;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a name stands for in a graph that is read. */
sealed interface Value {
  /**
   * Given to a run: the data, lengths, or states.
   *
   * @param isTransposed whether its first two axes were swapped
   */
  record Given(String name, boolean isTransposed) implements Value {}

  /** A tensor of the file. */
  record Constant(TensorProto tensor) implements Value {}

  /**
   * Rows that are all the same, as many as the batch has.
   *
   * @param row the row, null for zeros
   */
  record Rows(@Nullable TensorProto row) implements Value {}

  /**
   * What the layers up to here give.
   *
   * @param layers all of them, from the data on
   * @param form how it lies
   */
  record Flow(List<Layer> layers, Form form) implements Value {
    /** The last layer that has a state; null if there is none. */
    @Nullable Sequence sequence() {
      for (var layer : layers.reversed()) if (layer instanceof Sequence sequence) return sequence;
      return null;
    }

    /** Whether another's last layer with a state is among these. */
    boolean contains(Flow other) {
      var last = other.sequence();
      return layers.stream().anyMatch(layer -> layer == last);
    }
  }

  /** How outputs of layers lie, batch and time swapped or not. */
  enum Form {
    /** {@code [T,N,H]}. */
    PLAIN,
    /** {@code [T,directions,N,H]}, as recurrent operators give it. */
    BY_DIRECTION,
    /** {@code [T,N,directions,H]}, as they give it with {@code layout = 1}. */
    SIDE_BY_SIDE
  }

  /**
   * Final states, which every run gives.
   *
   * @param of what flows up to the last of the layers that have them
   */
  record Final(Flow of) implements Value {}

  /**
   * What nothing is made of here; fine for as long as no layer reads it, such as arithmetic with
   * shapes.
   *
   * @param by the node that gives it
   */
  record Other(NodeProto by) implements Value {}
}
