package carousel.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What a rule says it reads, by which a tape knows what to save. */
class VjpTest {
  private static final boolean[] BOTH = {true, true};
  private static final boolean[] FIRST = {true, false};
  private static final boolean[] SECOND = {false, true};

  @Test
  void onlyTheWantedRulesCount() {
    Vjp mul = Binary.MUL.vjp();
    assertThat(mul.readsInput(0, BOTH)).isTrue();
    assertThat(mul.readsInput(1, BOTH)).isTrue();
    assertThat(mul.readsInput(0, FIRST)).as("the gradient of a reads b alone").isFalse();
    assertThat(mul.readsInput(1, FIRST)).isTrue();
    assertThat(mul.readsInput(0, SECOND)).isTrue();
    assertThat(mul.readsOutput(BOTH)).isFalse();
    Vjp pow = Binary.POW.vjp();
    assertThat(pow.readsOutput(FIRST)).isFalse();
    assertThat(pow.readsOutput(SECOND)).isTrue();
  }

  @Test
  void linearRulesSaveNothing() {
    for (Op op :
        new Op[] {Binary.ADD, Binary.SUB, new CumSum(0), new Joins.Copy(), new Joins.Stack(0)}) {
      assertThat(op.vjp().readsInput(0, BOTH)).isFalse();
      assertThat(op.vjp().readsOutput(BOTH)).isFalse();
      assertThat(op.vjp().flows(0)).isTrue();
      assertThat(op.vjp().flows(1)).isEqualTo(!(op instanceof CumSum || op instanceof Joins.Copy));
    }
  }

  @Test
  void nothingFlowsThroughWhatIsConstant() {
    for (Op op :
        new Op[] {Unary.SIGN, Binary.EQ, new Views.Detach(), new Cast(carousel.tensor.DType.I32)}) {
      assertThat(op.vjp().flows(0)).isFalse();
      assertThat(op.vjp().readsInput(0, BOTH)).isFalse();
      assertThat(op.vjp().readsOutput(BOTH)).isFalse();
    }
    assertThat(Ternary.WHERE.vjp().flows(0)).as("the mask").isFalse();
    assertThat(Ternary.WHERE.vjp().flows(1)).isTrue();
    assertThat(new Indexing.Gather(0).vjp().flows(1)).as("the index").isFalse();
  }
}
