package carousel.tensor;

/**
 * The memory of a device is out, or its cap is reached: what a program may answer by closing the scope of the step
 * and going on with less, unlike a mistake in it. Nothing stays behind of the op that failed. The Java heap is
 * another matter, and throws its {@link OutOfMemoryError}.
 */
public class OutOfMemoryException extends TensorException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception.
   *
   * @param message who wanted how much, what is in use, and what to do
   */
  public OutOfMemoryException(String message) {
    super(message);
  }
}
