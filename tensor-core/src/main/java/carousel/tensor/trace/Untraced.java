package carousel.tensor.trace;

import org.jspecify.annotations.Nullable;

/** Thrown, and caught, where code does what no kernel can: what that is, and where it is done. */
public final class Untraced extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final StackWalker WALKER = StackWalker.getInstance();

  /**
   * Says why.
   *
   * @param reason what the code does, in a user's words
   */
  public Untraced(String reason) {
    super(reason + place(), null, false, false);
  }

  /** The line of the code that is traced: the first that is not the framework's. */
  private static String place() {
    return WALKER.walk(frames ->
        frames
            .filter(f -> !isOurs(f.getClassName()))
            .findFirst()
            .map(f -> " (" + f.getClassName() + "." + f.getMethodName() + ", " + line(f) + ")")
            .orElse(""));
  }

  private static String line(StackWalker.StackFrame frame) {
    return frame.getFileName() + ":" + frame.getLineNumber();
  }

  private static boolean isOurs(String name) {
    return name.startsWith("carousel.tensor.")
        || name.startsWith("carousel.nn.recurrent.Recurrent")
        || name.startsWith("java.")
        || name.startsWith("jdk.");
  }

  /** The reason, and the place. */
  @Override
  public @Nullable String getMessage() {
    return super.getMessage();
  }
}
