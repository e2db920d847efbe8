package carousel.tensor.trace;

import carousel.tensor.TensorException;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Thrown, and caught, where code does what no kernel can: what that is, and where it is done. */
public final class Untraced extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What runs a step; their tests are not ours. */
  private static final Set<String> OURS =
      Set.of(
          "carousel.nn.recurrent.Scanner",
          "carousel.nn.recurrent.LayerStep",
          "carousel.nn.recurrent.Flags",
          "carousel.nn.recurrent.Mask",
          "carousel.nn.recurrent.Recurrent",
          "carousel.nn.recurrent.RecurrentState",
          "carousel.nn.layer.Dropout",
          "carousel.nn.layer.Linear",
          "carousel.nn.layer.LayerNorm",
          "carousel.nn.Training");

  private static final StackWalker WALKER = StackWalker.getInstance();

  /**
   * Says why.
   *
   * @param reason what the code does, in a user's words
   */
  public Untraced(String reason) {
    this(reason, place());
  }

  private Untraced(String reason, String place) {
    super(reason + place, null, false, false);
  }

  /** Why code that was run on stand-ins fails there. */
  static Untraced of(RuntimeException e) {
    return e instanceof Untraced known
        ? known
        : new Untraced(
            !(e instanceof TensorException)
                ? "it fails on stand-ins: " + e
                : String.valueOf(e.getMessage()).contains(StepTrace.STAND_IN)
                    ? "it reads values on the host, writes in place, or hands tensors to a scope"
                    : "it fails on stand-ins: " + e.getMessage(),
            place(e));
  }

  /** As {@link #of}, of a part of the code that has a name. */
  static Untraced in(String what, RuntimeException e) {
    return new Untraced(what + ": " + of(e).getMessage(), "");
  }

  /** Says why, of the code as a whole. */
  static Untraced somewhere(String reason) {
    return new Untraced(reason, "");
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

  /** The line of the code that is traced in which something was thrown. */
  private static String place(RuntimeException e) {
    return Arrays.stream(e.getStackTrace())
        .filter(f -> !isOurs(f.getClassName()))
        .findFirst()
        .map(f ->
            " ("
                + f.getClassName()
                + "."
                + f.getMethodName()
                + ", "
                + f.getFileName()
                + ":"
                + f.getLineNumber()
                + ")")
        .orElse("");
  }

  private static String line(StackWalker.StackFrame frame) {
    return frame.getFileName() + ":" + frame.getLineNumber();
  }

  private static boolean isOurs(String name) {
    return name.startsWith("carousel.tensor.")
        || OURS.contains(name)
        || name.startsWith("java.")
        || name.startsWith("jdk.");
  }

  /** The reason, and the place. */
  @Override
  public @Nullable String getMessage() {
    return super.getMessage();
  }
}
