package carousel.tensor.op;

import carousel.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** One rule for each of the first inputs; the others have none. */
final class RulePerInput extends Vjp {
  static final Vjp NONE = new RulePerInput();

  private final Rule[] rules;

  RulePerInput(Rule... rules) {
    this.rules = rules.clone();
  }

  @Override
  public boolean readsInput(int input, boolean[] wanted) {
    for (int i = 0; i < count(wanted); i++) {
      if (wanted[i] && rules[i].reads().contains(input)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean readsOutput(boolean[] wanted) {
    for (int i = 0; i < count(wanted); i++) {
      if (wanted[i] && rules[i].readsOutput()) {
        return true;
      }
    }
    return false;
  }

  /** An op may be applied to fewer inputs than there are rules. */
  private int count(boolean... wanted) {
    return Math.min(rules.length, wanted.length);
  }

  @Override
  public boolean flows(int input) {
    return input < rules.length && rules[input].pull() != null;
  }

  @Override
  public @Nullable Tensor[] pull(Context c, boolean[] wanted) {
    @Nullable Tensor[] out = new Tensor[wanted.length];
    for (int i = 0; i < count(wanted); i++) {
      Pull pull = rules[i].pull();
      if (wanted[i] && pull != null) {
        out[i] = pull.apply(c);
      }
    }
    return out;
  }
}
