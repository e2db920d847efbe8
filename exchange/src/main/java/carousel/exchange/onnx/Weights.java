package carousel.exchange.onnx;

import carousel.exchange.onnx.Value.Constant;
import carousel.nn.Parameter;
import carousel.tensor.Tensor;
import java.util.Locale;

/**
 * The tensors of a file as weights. A small file could name one large tensor in a thousand nodes, each
 * of which would copy it, or join it with itself again and again; so what is read and computed is counted.
 */
final class Weights {
  /** How often each may be read or made anew, on average: to join parts, for tied layers. */
  private static final int MOST_READS = 6;

  /** What a file may do whatever its size. */
  private static final int SLACK = 4096;

  private final long most;
  private long read;

  /**
   * Weights of a file.
   *
   * @param fileBytes its size
   */
  Weights(long fileBytes) {
    this.most = MOST_READS * fileBytes + SLACK;
  }

  /** A tensor of the file; its values are in the scope that is innermost when they are asked for. */
  Constant constant(TensorProto proto, boolean isWeight) {
    return new Constant(
        proto.name(),
        proto.type(),
        isWeight,
        proto.isCut(),
        () -> {
          count(proto.bytes());
          return proto.toTensor();
        });
  }

  /** Counts bytes that are read or made. */
  void count(long bytes) {
    read += bytes;
    if (read > most) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "the nodes read and make more than %d bytes of weights, %d times the size of the file; this is no model",
              most,
              MOST_READS));
    }
  }

  /** The values of a weight. */
  Tensor tensor(Constant constant) {
    Tensor tensor = constant.tensor();
    if (!tensor.dtype().isFloating()) {
      throw new OnnxException(
          String.format(
              Locale.ROOT,
              "tensor %s holds %s where weights are FLOAT or DOUBLE",
              OnnxException.quote(constant.name()),
              constant.type()));
    }
    count(tensor.size() * tensor.dtype().bytes());
    return tensor;
  }

  /** A constant of so many axes as a weight of a node's layer. */
  Parameter parameter(NodeProto node, Constant constant, int rank) {
    Tensor tensor = tensor(constant);
    if (tensor.rank() != rank || tensor.size() == 0) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "tensor %s has the shape %s where %d axes are wanted",
              OnnxException.quote(constant.name()),
              tensor.shape(),
              rank));
    }
    return Parameter.of(tensor);
  }
}
