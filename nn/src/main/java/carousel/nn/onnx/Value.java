package carousel.nn.onnx;

import carousel.nn.Layer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a name stands for in a graph that is read. */
sealed interface Value {
  /** Given to a run: the data, lengths, or states. */
  record Given(String name) implements Value {}

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
  record Flow(List<Layer> layers, Form form) implements Value {}

  /** How outputs of layers lie. */
  enum Form {
    /** {@code [T,N,H]}. */
    PLAIN,
    /** {@code [T,directions,N,H]}, as recurrent operators give it. */
    BY_DIRECTION,
    /** {@code [T,N,directions,H]}. */
    SIDE_BY_SIDE
  }

  /** A final state. */
  record Final() implements Value {}

  /**
   * What nothing is made of here; fine for as long as no layer reads it, such as arithmetic with
   * shapes.
   *
   * @param by the node that gives it
   */
  record Other(NodeProto by) implements Value {}
}
