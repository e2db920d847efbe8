package carousel.nn.onnx;

import carousel.nn.Embedding;
import carousel.nn.LayerNorm;
import carousel.nn.Linear;
import carousel.nn.Parameter;
import java.util.List;
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
  Embedding embedding(TensorProto table) {
    var axis = node.integer("axis", 0);
    if (axis != 0) {
      throw node.wrong(
          String.format(Locale.ROOT, "attribute axis is %d; rows of a table are axis 0", axis));
    }
    return new Embedding(weights.parameter(node, table, 2), OptionalInt.empty());
  }

  /** {@code MatMul}: a product that a bias may follow. */
  Linear product(TensorProto weight) {
    return new Linear(weights.parameter(node, weight, 2), null);
  }

  /** {@code Add}: the bias of the product before it; null if it is something else. */
  @Nullable Linear biased(Linear product, TensorProto bias) {
    var fits = bias.dims().equals(List.of(product.weight().value().dim(1)));
    return product.bias() != null || !fits
        ? null
        : new Linear(product.weight(), weights.parameter(node, bias, 1));
  }

  /** {@code Gemm}: a product and a bias. */
  Linear gemm(TensorProto weight, @Nullable TensorProto bias) {
    node.requireOnly("alpha", "beta", "transA", "transB");
    if (node.integer("transA", 0) != 0
        || node.single("alpha", 1) != 1
        || node.single("beta", 1) != 1) {
      throw node.wrong("attributes transA, alpha and beta other than 0, 1 and 1 are not read");
    }
    var stored = weights.parameter(node, weight, 2);
    var w =
        node.integer("transB", 0) == 0
            ? stored
            : Parameter.of(() -> stored.value().transpose(0, 1));
    var columns = w.value().dim(1);
    if (bias != null && !bias.dims().equals(List.of(columns))) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "C has the shape %s, a bias of %d columns has [%d]",
              bias.dims(),
              columns,
              columns));
    }
    return new Linear(w, bias == null ? null : weights.parameter(node, bias, 1));
  }

  /** {@code LayerNormalization} of data with the axes T, N and features. */
  LayerNorm norm(TensorProto gain, @Nullable TensorProto shift) {
    node.requireOnly("axis", "epsilon", "stash_type");
    var rank = gain.dims().size();
    var axis = node.integer("axis", -1);
    if (rank == 0 || (axis != -rank && axis != 3 - rank)) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "attribute axis is %d; a scale of the shape %s wants %d",
              axis,
              gain.dims(),
              -rank));
    }
    var epsilon = node.single("epsilon", 1e-5);
    if (!(epsilon >= 0)) throw node.wrong("attribute epsilon is " + epsilon);
    if (shift != null && (!shift.dims().equals(gain.dims()) || shift.type() != gain.type())) {
      throw node.wrong(
          String.format(
              Locale.ROOT,
              "scale is %s %s, its bias %s %s",
              gain.type(),
              gain.dims(),
              shift.type(),
              shift.dims()));
    }
    var scale = weights.parameter(node, gain, rank);
    var bias =
        shift == null
            ? Parameter.of(() -> scale.value().zerosLike())
            : weights.parameter(node, shift, rank);
    return new LayerNorm(scale, bias, epsilon);
  }
}
