package carousel.tensor.op;

/** A row that works element by element, on operands that broadcast to one shape: what the three tables have in common. */
public sealed interface ElementwiseOp extends Op permits Unary, Binary, Ternary {
  /**
   * What a row says of itself beside its definition.
   *
   * @param label its name
   * @param domain the element types it takes
   * @param vjp its rule
   */
  record Facts(String label, Domain domain, Vjp vjp) {
    /** Those of a row of a table, which is called as its constant. */
    static Facts of(Enum<?> row, Domain domain, Vjp vjp) {
      return new Facts(Checks.label(row), domain, vjp);
    }
  }

  /**
   * Returns what the row says of itself.
   *
   * @return its name, domain and rule
   */
  Facts facts();

  /**
   * Returns the element types accepted.
   *
   * @return the domain of all operands, but for the mask of {@link Ternary#WHERE}
   */
  default Domain domain() {
    return facts().domain();
  }

  @Override
  default String label() {
    return facts().label();
  }

  @Override
  default Vjp vjp() {
    return facts().vjp();
  }
}
