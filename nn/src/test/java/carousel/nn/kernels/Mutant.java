package carousel.nn.kernels;

/**
 * One wrong number.
 *
 * @param where which instruction or call, in words
 * @param way how it is wrong, in words
 * @param site the number of the instruction or call
 * @param wrong what is there in place of what is right
 */
record Mutant(String where, String way, int site, Wrong wrong) {

  /** A number in place of the right one. */
  @FunctionalInterface
  interface Wrong {
    /**
     * The wrong number.
     *
     * @param right what it should be
     * @param other what it was computed from: operands, or what was there before
     */
    double of(double right, double... other);
  }

  /** Whether two numbers are other numbers; −0 is 0. */
  static boolean differ(double a, double b) {
    return a != b && !(Double.isNaN(a) && Double.isNaN(b));
  }

  @Override
  public String toString() {
    return where + ": " + way;
  }
}
