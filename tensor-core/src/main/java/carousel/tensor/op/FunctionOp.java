package carousel.tensor.op;

import carousel.tensor.Tensor;

/**
 * An op of functions.
 *
 * @param label its name
 * @param body its forward
 * @param vjp its rule
 */
record FunctionOp(String label, Composite.Body body, Vjp vjp) implements CustomOp {
  @Override
  public Tensor[] forward(Tensor... in) {
    return body.apply(in);
  }
}
