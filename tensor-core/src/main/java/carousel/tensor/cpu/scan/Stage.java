package carousel.tensor.cpu.scan;

import carousel.tensor.trace.Value;
import carousel.tensor.trace.Value.Kind;
import carousel.tensor.trace.Value.Term;
import java.util.List;

/**
 * A stage of a plan: folds, then products, then elementwise programs; any may be missing.
 *
 * @param folds programs over all vectors of a row at once
 * @param groups products of the step
 * @param returns products of the gradient
 * @param programs those of one width in their order
 */
record Stage(
    List<StageProgram> folds,
    List<Group> groups,
    List<Return> returns,
    List<StageProgram> programs) {
  /** What a sum starts from. */
  enum Origin {
    NOTHING,
    /** Columns of {@code x·wx + b}, a product of all steps into the block. */
    PRODUCT,
    /** Columns of a sequence, which are copied there. */
    SEQUENCE
  }

  /**
   * Sums that are computed by one product, because what they multiply is the same; or columns of inputs
   * that no product is added to.
   *
   * @param members the members of the block
   * @param block where they lie
   * @param arrays for each term of a sum, the heap array that is its left operand
   * @param origin what they start from
   */
  record Group(List<Value> members, Block block, List<Integer> arrays, Origin origin) {
    /** The columns of an input that a member is, or starts from. */
    static Value inputOf(Value member) {
      return member.kind() == Kind.INPUT ? member : member.inputs().getFirst();
    }
  }

  /**
   * What flows back through products to one value.
   *
   * @param block where it is put
   * @param terms the products; each factor is the sum whose cotangent is multiplied
   * @param onto whether it is added to what is there
   */
  record Return(Block block, List<Term> terms, boolean onto) {}

  Stage {
    folds = List.copyOf(folds);
    groups = List.copyOf(groups);
    returns = List.copyOf(returns);
    programs = List.copyOf(programs);
  }
}
