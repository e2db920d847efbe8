package carousel.nn.random;

/**
 * What came of a program.
 *
 * @param kind whether it is as it should be
 * @param kernel what a kernel was made for: a word for the tally
 * @param message what is wrong, if something is
 */
record Verdict(Kind kind, String kernel, String message) {
  static final String KERNEL = "kernel";

  /** How a program fared. */
  enum Kind {
    /** All that was compared is the same. */
    SAME,
    /** The same within what rounding does to this program, which is more than usual. */
    ROUNDED,
    /** Numbers that are too large to compare, or none. */
    WILD,
    /** The body itself fails: a fault of the generator. */
    NO_PROGRAM,
    /** What the kernel gives is not what the body gives. */
    DIFFERS,
    /** Bits depend on the threads. */
    THREADS,
    /** The kernel throws where the body does not. */
    THROWS;

    boolean isFailure() {
      return ordinal() >= NO_PROGRAM.ordinal();
    }
  }

  boolean isFailure() {
    return kind.isFailure();
  }
}
