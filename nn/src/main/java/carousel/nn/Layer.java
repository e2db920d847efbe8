package carousel.nn;

/**
 * A part of a model: a record of {@link Parameter}s, other layers and plain settings.
 *
 * <pre>{@code
 * record Classifier(Embedding embed, List<Linear> hidden, Linear head) implements Layer {
 *   Tensor logits(Tensor tokens) {
 *     Tensor x = embed.apply(tokens);
 *     for (Linear layer : hidden) {
 *       x = layer.apply(x).tanh();
 *     }
 *     return head.apply(x);
 *   }
 * }
 * }</pre>
 *
 * <p>Weights change inside their {@code Parameter}; the record never does. The record's components
 * name the parameters: {@code embed.weight}, {@code hidden.0.bias}, {@code head.weight}.
 *
 * <p>So names follow the structure, and files know weights by them. A component with another name, or a layer that is put
 * into another, a {@link carousel.nn.layer.Residual}, a {@link carousel.nn.layer.Sequential} or by {@link
 * carousel.nn.recurrent.Sequence#then}, gives its weights other names: {@code head.weight} becomes {@code head.f.weight}.
 * A checkpoint from before then is one of another model, and the error lists what is missing and what is unknown. To go on
 * with old weights, load them by {@link carousel.nn.io.Safetensors#load}, put them under the new names, and save them.
 */
public interface Layer {
  /**
   * The parameters of this layer and of all layers in it, found by walking record components.
   *
   * <p>Found are parameters and layers, lists, arrays and {@code Optional}s of them, and records that
   * hold them; null stands for a part that is left out. A parameter that is reached twice, such as a
   * tied weight, is listed once, under the first path. A component that is {@link Unnamed} adds nothing to
   * paths; a function, a {@link Transform} written as a lambda, has no parameters, and is refused if it uses some that can
   * be seen. A layer that is no record, or that wants other names, overrides this.
   *
   * @return the parameters in the order of the components
   * @throws carousel.tensor.TensorException if this is no record, or its package is not open to
   *     carousel.nn; the message says what to add; or if a function among the components captured a layer or a
   *     parameter, whose weights would stay as they are
   */
  default Parameters parameters() {
    return Parameters.of(this);
  }
}
