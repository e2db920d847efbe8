package carousel.nn.onnx;

import carousel.nn.Parameter;
import carousel.tensor.Tensor;
import java.util.Locale;

/**
 * The tensors of a file as weights. A small file could name one large tensor in a thousand nodes, each
 * of which would copy it, so what is read is counted.
 */
final class Weights {
  /** How often each may be read, on average: tied layers read theirs more than once. */
  private static final int MOST_READS = 4;

  private final long most;
  private long read;

  /**
   * Weights of a file.
   *
   * @param fileBytes its size
   */
  Weights(long fileBytes) {
    this.most = MOST_READS * fileBytes;
  }

  /** The values of a tensor, in the innermost scope. */
  Tensor tensor(TensorProto tensor) {
    read += tensor.bytes();
    if (read > most) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "the nodes read more than %d bytes of weights, %d times the size of the file; this is no model",
              most,
              MOST_READS));
    }
    return tensor.toTensor();
  }

  /** A tensor of so many axes as a weight of a node's layer. */
  Parameter parameter(NodeProto node, TensorProto tensor, int rank) {
    if (tensor.dims().size() != rank || tensor.dims().contains(0)) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "tensor %s has the shape %s where %d axes are wanted",
              OnnxException.quote(tensor.name()),
              tensor.dims(),
              rank));
    }
    return Parameter.of(() -> tensor(tensor));
  }
}
