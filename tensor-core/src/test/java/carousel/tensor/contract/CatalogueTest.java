package carousel.tensor.contract;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Copying;
import carousel.tensor.Cutting;
import carousel.tensor.DType;
import carousel.tensor.HostValues;
import carousel.tensor.Overwriting;
import carousel.tensor.Shaping;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.CustomOp;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Transfer;
import carousel.tensor.op.Unary;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The catalogue is whole: an op without cases fails here, before anybody misses its test. */
class CatalogueTest {
  /** What is no function: views, and what is tested as what it is. */
  private static final Set<Class<?>> OTHERS =
      Set.of(Shaping.class, Cutting.class, Copying.class, Overwriting.class, HostValues.class);

  /** The permitted classes of a sealed hierarchy that are no interfaces. */
  private static Stream<Class<?>> leaves(Class<?> type) {
    return type.isSealed() && type.isInterface()
        ? Arrays.stream(type.getPermittedSubclasses()).flatMap(CatalogueTest::leaves)
        : Stream.of(type);
  }

  @Test
  void everyOpHasCases() {
    Set<Class<?>> covered = OpCases.all().map(c -> c.op().getClass()).collect(Collectors.toSet());
    assertThat(leaves(Op.class))
        .as("ops without a case in OpCases.all()")
        .filteredOn(op -> op != Transfer.class && op != CustomOp.class)
        .isNotEmpty()
        .allMatch(covered::contains);
  }

  @Test
  void everyRowOfEveryFamilyHasCasesOfEveryTypeOfItsDomain() {
    Set<String> expected = new TreeSet<>();
    for (DType type : DType.values()) {
      Stream.of(Unary.values())
          .filter(r -> r.domain().accepts(type))
          .forEach(r -> expected.add("Unary." + r + type));
      Stream.of(Binary.values())
          .filter(r -> r.domain().accepts(type))
          .forEach(r -> expected.add("Binary." + r + type));
      Stream.of(Ternary.values())
          .filter(r -> r.domain().accepts(type))
          .forEach(r -> expected.add("Ternary." + r + type));
      Stream.of(Reduce.values())
          .filter(r -> r.domain().accepts(type))
          .forEach(r -> expected.add("Reduce." + r + type));
    }
    Set<String> actual =
        OpCases.all()
            .map(c -> c.row() + c.operands().getLast().dtype())
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(actual).containsAll(expected);
  }

  @Test
  void everyDifferentiableOpHasSmoothCases() {
    Set<String> smooth = OpCases.smooth().map(OpCase::row).collect(Collectors.toSet());
    Set<String> differentiable =
        Stream.concat(OpCases.all(), OpCases.smooth())
            .filter(c ->
                c.op() instanceof Composite of
                    ? !CompositeCases.CONSTANT.contains(of.label())
                    : flows(c))
            .map(OpCase::row)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(smooth).containsAll(differentiable);
  }

  private static boolean flows(OpCase c) {
    for (int i = 0; i < c.operands().size(); i++) {
      if (c.op().vjp().flows(i)) {
        return true;
      }
    }
    return false;
  }

  /** What is made of rows has cases as rows have: whatever joins one of a tensor's interfaces is asked for. */
  @Test
  void everyFunctionHasCases() {
    Set<String> functions =
        Arrays.stream(Tensor.class.getInterfaces())
            .filter(type -> !OTHERS.contains(type))
            .flatMap(type -> Arrays.stream(type.getDeclaredMethods()))
            .filter(method -> Modifier.isPublic(method.getModifiers()))
            .map(Method::getName)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(functions).hasSizeGreaterThan(130);
    assertThat(named()).containsAll(functions);
  }

  /** The methods that cases are of: rows by theirs, composites by what their label begins with. */
  private static Set<String> named() {
    return OpCases.all()
        .map(c -> c.op() instanceof Binary row ? row.method() : c.op().label())
        .map(label -> label.replaceAll("\\..*", ""))
        .collect(Collectors.toSet());
  }

  /** A step of 1e-4 in any direction changes the result by something of that size: no kink, no pole. */
  @Test
  void smoothCasesAreFiniteF64AndAwayFromKinks() {
    OpCases.smooth()
        .forEach(c -> {
          try (var scope = TensorScope.open()) {
            double h = 1e-4;
            Tensor[] at = c.inputs();
            Tensor[] up = c.inputs();
            Tensor[] down = c.inputs();
            boolean any = false;
            for (int i = 0; i < at.length; i++) {
              assertThat(at[i].dtype()).as("%s", c).isNotEqualTo(DType.F32);
              if (c.differentiable(i)) {
                up[i] = at[i].add(h);
                down[i] = at[i].sub(h);
                any = true;
              }
            }
            assertThat(any).as("%s has a differentiable input", c).isTrue();
            Tensor y = c.op().evaluate(at)[0];
            Tensor bend = c.op().evaluate(up)[0].add(c.op().evaluate(down)[0]).sub(y.mul(2)).abs();
            // A kink of slope 1 would bend by h; smooth functions bend by h² f''.
            assertThat(bend.max().item()).as("%s", c).isLessThan(0.05 * h);
          }
        });
  }

  @Test
  void arrangementsSayWhatTheyAre() {
    Map<Arrangement, Boolean> dense =
        Arrays.stream(Arrangement.values())
            .collect(
                Collectors.toMap(
                    a -> a, a -> a.layout(carousel.tensor.Shape.of(3, 4)).isContiguous()));
    assertThat(dense)
        .containsEntry(Arrangement.DENSE, true)
        .containsEntry(Arrangement.OFFSET, true)
        .containsEntry(Arrangement.TRANSPOSED, false)
        .containsEntry(Arrangement.STEPPED, false)
        .containsEntry(Arrangement.FLIPPED, false)
        .containsEntry(Arrangement.REPEATED_ROW, false)
        .containsEntry(Arrangement.REPEATED_COLUMN, false);
  }
}
