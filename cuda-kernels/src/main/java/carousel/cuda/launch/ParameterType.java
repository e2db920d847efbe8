package carousel.cuda.launch;

/** The types that parameters of kernels have. */
public enum ParameterType {
  /** Memory of the device, of any element type. */
  POINTER("*", 8),
  /** A C {@code int}. */
  I32("int", 4),
  /** {@code i64} of common.cuh. */
  I64("i64", 8),
  /** A C {@code float}. */
  F32("float", 4),
  /** A C {@code double}. */
  F64("double", 8),
  /** {@link Positions} of one operand. */
  POSITIONS_1("Positions<1>", Positions.bytes(1)),
  /** {@link Positions} of two operands. */
  POSITIONS_2("Positions<2>", Positions.bytes(2)),
  /** {@link Positions} of three operands. */
  POSITIONS_3("Positions<3>", Positions.bytes(3)),
  /** {@link Positions} of four operands. */
  POSITIONS_4("Positions<4>", Positions.bytes(4));

  private final String type;
  private final int bytes;

  ParameterType(String type, int bytes) {
    this.type = type;
    this.bytes = bytes;
  }

  /** Whether a parameter that a file declares with this C type is one of these. */
  public boolean accepts(String declared) {
    return this == POINTER ? declared.endsWith(type) : declared.equals(type);
  }

  int bytes() {
    return bytes;
  }

  /** The parameter for positions of n operands. */
  static ParameterType positions(int n) {
    return values()[POSITIONS_1.ordinal() + n - 1];
  }
}
