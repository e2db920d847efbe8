package carousel.tensor;

/**
 * What went wrong in a tensor operation: the op, both sides, and what to do about it.
 *
 * <p>Every error a caller can cause is of this type; the message is written to be read by the
 * person whose program it stopped, e.g. {@code matmul: inner dims differ: [32,128] × [64,512]}.
 */
public class TensorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Makes an exception with a message for the user.
   *
   * @param message op, operands and remedy
   */
  public TensorException(String message) {
    super(message);
  }

  /**
   * Makes an exception with a message for the user and the cause beneath it.
   *
   * @param message op, operands and remedy
   * @param cause what the system said
   */
  public TensorException(String message, Throwable cause) {
    super(message, cause);
  }
}
