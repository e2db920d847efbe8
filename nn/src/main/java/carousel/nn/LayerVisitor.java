package carousel.nn;

/**
 * Sees the parts of a model with the paths that lead to them, in the order of the components: what
 * {@link Layer#parameters} finds, and the layers on the way there.
 */
@FunctionalInterface
public interface LayerVisitor {
  /**
   * Sees a parameter.
   *
   * @param path e.g. {@code stack.0.cell.wx}
   * @param parameter the parameter; it is seen again under every other path that leads to it
   */
  void parameter(String path, Parameter parameter);

  /**
   * Sees a layer before its parts.
   *
   * @param path e.g. {@code stack.0.cell}; empty for the model itself
   * @param layer the layer
   * @return true if it was dealt with as a whole, false if its parts are to be visited
   */
  default boolean layer(String path, Layer layer) {
    return false;
  }

  /**
   * Visits a model.
   *
   * @param model the outermost layer, visited first
   * @throws carousel.tensor.TensorException as {@link Layer#parameters} does
   */
  default void visit(Layer model) {
    ParameterWalk.visit(model, this);
  }
}
