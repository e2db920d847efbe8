package carousel.exchange.onnx;

import carousel.exchange.onnx.Value.Constant;
import carousel.nn.Parameter;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.tensor.Tensor;
import java.util.Locale;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Nodes without a state to layers; what each reads is a tensor of the file.
 *
 * @param node the node
 * @param weights reads tensors
 */
record LayerReader(NodeProto node, Weights weights) {
  /** {@code Gather}: rows of a table. */
  Embedding embedding(Constant table) {
    return new Embedding(weights.parameter(node, table, 2), OptionalInt.empty());
  }

  /** {@code MatMul}: a product that a bias may follow. */
  Linear product(Constant weight) {
    return new Linear(weights.parameter(node, weight, 2), null);
  }

  /** {@code Add}: the bias of the product before it. */
  Linear biased(Linear product, Constant bias) {
    return new Linear(product.weight(), row(bias));
  }

  /** Whether a constant can be the bias of a product: {@code [n]}, or with axes of 1 before it. */
  static boolean isBias(Constant bias, int columns, int most) {
    var shape = bias.tensor().shape();
    return bias.tensor().dtype().isFloating()
        && shape.rank() > 0
        && shape.rank() <= most
        && shape.dim(Tensor.LAST) == columns
        && shape.size() == columns;
  }

  private Parameter row(Constant bias) {
    return Parameter.of(weights.tensor(bias).flatten());
  }

  /** {@code Gemm}: a product and a bias. */
  Linear gemm(Constant weight, @Nullable Constant bias) {
    var stored = weights.parameter(node, weight, 2);
    var w =
        node.integer("transB", 0) == 0
            ? stored
            : Parameter.of(() -> stored.value().transpose(0, 1));
    return new Linear(w, bias == null ? null : row(bias));
  }

  /** {@code LayerNormalization} of data of a rank, −1 if that is not known. */
  LayerNorm norm(Constant gain, @Nullable Constant shift, int rankOfData) {
    node.requireOnly("axis", "epsilon", "stash_type");
    var shape = gain.tensor().shape();
    int rank = shape.rank();
    long axis = node.integer("axis", -1);
    if (rank == 0 || (axis != -rank && (rankOfData < 0 || axis != rankOfData - rank))) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "attribute axis is %d; a scale of the shape %s wants %d",
              axis,
              shape,
              -rank));
    }
    if (node.integer("stash_type", 1) != DataType.FLOAT.code()) {
      throw node.wrong("attribute stash_type is not 1, FLOAT; nothing else is computed in");
    }
    double epsilon = node.single("epsilon", 1e-5);
    if (!(epsilon >= 0)) {
      throw node.wrong("attribute epsilon is " + epsilon);
    }
    if (shift != null && (!shift.tensor().shape().equals(shape) || shift.type() != gain.type())) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "scale is %s %s, its bias %s %s",
              gain.type(),
              shape,
              shift.type(),
              shift.tensor().shape()));
    }
    var scale = weights.parameter(node, gain, rank);
    var bias =
        shift == null
            ? Parameter.of(() -> scale.value().zerosLike())
            : weights.parameter(node, shift, rank);
    return new LayerNorm(scale, bias, epsilon);
  }
}
