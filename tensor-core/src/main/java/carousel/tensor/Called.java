package carousel.tensor;

import java.util.function.Supplier;

/** Errors of methods that are made of an op of another name, which users have not called. */
final class Called {
  private Called() {}

  /**
   * What a method gives.
   *
   * @param method its name, with which its errors begin
   * @param op the op inside, with whose name they begin there
   * @param body applies it
   */
  static Tensor by(String method, String op, Supplier<Tensor> body) {
    try {
      return body.get();
    } catch (TensorException e) {
      String said = String.valueOf(e.getMessage());
      if (e.getClass() != TensorException.class || !said.startsWith(op + ": ")) {
        throw e;
      }
      throw new TensorException(method + said.substring(op.length()), e);
    }
  }
}
