package carousel.nn.random;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What random programs are made of, and that those that fail become small. */
@Tag("cpu") // nothing is computed
class GeneratorTest {
  @Test
  void everyRowThatIsDeclaredOccurs() {
    Set<String> traits = new HashSet<>();
    for (long seed = 0; seed < 3000; seed++) {
      traits.addAll(Species.CELLS.traits().apply(CellMaker.of(seed)));
    }
    assertThat(traits)
        .containsAll(Interval.rows().stream().map(row -> "row " + row).toList())
        .contains("fold over rows", "label of the library's", "states of several widths");
    for (Class<?> node : Node.Single.class.getPermittedSubclasses()) {
      if (node != Node.Folded.class) {
        assertThat(traits).contains("node " + node.getSimpleName());
      }
    }
  }

  @Test
  void aSeedIsAProgram() {
    for (long seed = 0; seed < 50; seed++) {
      assertThat(CellMaker.of(seed)).isEqualTo(CellMaker.of(seed));
      assertThat(CompositeProgram.Maker.of(seed)).isEqualTo(CompositeProgram.Maker.of(seed));
    }
  }

  /** Whatever makes a program fail, little else is left of it. */
  @Test
  void whatFailsBecomesSmall() {
    Predicate<CellProgram> fails =
        program ->
            program.step().nodes().stream().anyMatch(Node.Softmaxed.class::isInstance)
                && program.states().size() > 1;
    int seen = 0;
    for (long seed = 0; seen < 20; seed++) {
      CellProgram program = CellMaker.of(seed);
      if (fails.test(program)) {
        seen++;
        CellProgram least = Shrinker.shrink(Species.CELLS, program, fails);
        assertThat(fails.test(least)).isTrue();
        assertThat(least.valid().step().nodes()).as("seed %d", seed).hasSizeLessThan(10);
        assertThat(least.calls()).hasSize(1);
        assertThat(CellSource.of(least)).containsIgnoringCase("softmax(Tensor.LAST)");
      }
    }
  }

  /** What is printed of a program that was made twice is one text, whatever the locale. */
  @Test
  void everyProgramCanBeWrittenAsSource() {
    for (long seed = 0; seed < 200; seed++) {
      assertThat(CellSource.of(CellMaker.of(seed))).contains("implements").doesNotContain("null;");
      assertThat(CompositeSource.of(CompositeProgram.Maker.of(seed))).contains("new Composite(");
    }
  }

  /** A referee that lets everything pass is none. */
  @Test
  void aKernelThatDiffersIsNoticed() {
    try (var scope = TensorScope.open(Device.cpu())) {
      var one = new Outcome();
      var other = new Outcome();
      one.add("y", Tensor.of(1.0, 2.0));
      other.add("y", Tensor.of(1.0, 2.0 + 1e-9));
      assertThat(one.difference(other, 1e-11, List.of())).contains("y F64 [2] at 1");
      assertThat(one.difference(other, 1e-8, List.of())).isNull();
      assertThat(one.difference(other, 1e-11, List.of(one))).isNull();
      assertThat(one.sameBits(other)).isFalse();
    }
  }
}
