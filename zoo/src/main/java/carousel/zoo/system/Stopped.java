package carousel.zoo.system;

/** A run was asked to stop, and what it needs to go on is saved. */
public final class Stopped extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Made by the frame, or by a system that saves by itself. */
  public Stopped() {
    super("stopped", null, false, false);
  }
}
