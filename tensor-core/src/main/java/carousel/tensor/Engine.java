package carousel.tensor;

/**
 * What interpreters and backends need of a tensor: its memory, where its elements lie in that, and tensors
 * that no interpreter sees being made. Programs have no use for it; a kernel of one's own has.
 */
public final class Engine {
  private Engine() {}

  /**
   * A dense tensor of undefined content in the innermost scope.
   *
   * @param op the op it is made for, named in errors
   * @param device where it lives
   * @param dtype its type
   * @param shape its shape
   * @return the tensor
   */
  public static Tensor empty(String op, Device device, DType dtype, Shape shape) {
    // Shapes are small enough for this not to overflow.
    Storage storage =
        TensorScope.current().allocate(device, shape.size() * dtype.bytes(), op, shape);
    return new Tensor(storage, Layout.contiguous(shape), dtype, device);
  }

  /**
   * The same storage under another layout, unseen by the interpreter.
   *
   * @param x a tensor
   * @param layout the layout, which must lie within the storage
   * @return the view
   */
  public static Tensor over(Tensor x, Layout layout) {
    return x.over(layout);
  }

  /**
   * Expanded to a shape, unseen by the interpreter.
   *
   * @param x a tensor
   * @param shape a shape it broadcasts to
   * @return x, or a view with strides of 0
   */
  public static Tensor expanded(Tensor x, Shape shape) {
    return x.shape().equals(shape) ? x : x.over(x.layout().expand(shape));
  }

  /**
   * The memory that a tensor looks at.
   *
   * @param x a tensor
   * @return the storage, shared with all views of it
   */
  public static Storage storage(Tensor x) {
    return x.storage();
  }

  /**
   * Where the elements lie in the storage.
   *
   * @param x a tensor
   * @return the layout
   */
  public static Layout layout(Tensor x) {
    return x.layout();
  }

  /**
   * The address of the first element.
   *
   * @param x a tensor
   * @return the address on the device
   * @throws TensorException if the scope that owned the memory is closed
   */
  public static long address(Tensor x) {
    return x.storage().address() + x.layout().offset() * x.dtype().bytes();
  }
}
