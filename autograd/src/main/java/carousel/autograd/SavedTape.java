package carousel.autograd;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;
import org.jspecify.annotations.Nullable;

/**
 * The tape of a pullback, which is taken once: by who pulls or closes it, or by the cleaner when nobody
 * can any more.
 *
 * <p>Apart from the pullback, and knowing nothing of it: the cleaner holds this, so that a dropped pullback
 * becomes unreachable.
 */
final class SavedTape implements Runnable {
  private static final System.Logger LOG = System.getLogger("carousel.autograd");
  private static final Cleaner CLEANER = Cleaner.create();
  private static final StackWalker WALKER = StackWalker.getInstance();

  private @Nullable Tape tape;
  private final @Nullable String place;

  private SavedTape(Tape tape, @Nullable String place) {
    this.tape = tape;
    this.place = place;
  }

  /** Of a pullback that does not leave the method that makes it, and is closed there. */
  static SavedTape inside(Tape tape) {
    return new SavedTape(tape, null);
  }

  /** Of a pullback that is handed out by the caller of this, which notes who asked for it. */
  static SavedTape handedOut(Tape tape) {
    return new SavedTape(tape, caller());
  }

  private static String caller() {
    return WALKER.walk(frames ->
        frames
            .filter(f -> !isOurs(f.getClassName()))
            .findFirst()
            .map(f ->
                f.getClassName()
                    + "."
                    + f.getMethodName()
                    + "("
                    + f.getFileName()
                    + ":"
                    + f.getLineNumber()
                    + ")")
            .orElse("an unknown place"));
  }

  private static boolean isOurs(String name) {
    return name.equals(SavedTape.class.getName())
        || name.equals(Pullback.class.getName())
        || name.equals(Grad.class.getName());
  }

  /** Watches for the pullback being dropped; null where it was not handed out. */
  Cleaner.@Nullable Cleanable watch(Pullback pullback) {
    return place == null ? null : CLEANER.register(pullback, this);
  }

  /** Takes the tape; null if it was taken before. */
  synchronized @Nullable Tape take() {
    Tape taken = tape;
    tape = null;
    return taken;
  }

  /** Runs when the pullback became unreachable, and once it is of no use: too late if there is a tape. */
  @Override
  public void run() {
    Tape dropped = take();
    if (dropped != null) {
      LOG.log(
          Level.WARNING,
          "leak: the pullback made at {0} was neither pulled nor closed; what it saved is released now",
          place);
      dropped.release();
    }
  }
}
