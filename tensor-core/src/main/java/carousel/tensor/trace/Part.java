package carousel.tensor.trace;

/**
 * Some columns of a stand-in.
 *
 * @param value what they hold: as wide as they are, or a single column that is the same in all of them,
 *     or a number
 * @param width how many columns
 */
record Part(Value value, int width) {
  static Part of(Value value) {
    return new Part(value, value.width());
  }

  /** Whether all columns are the same. */
  boolean isEven() {
    return value.isNumber() || (value.width() == 1 && width > 1);
  }
}
