package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Every method of a tensor, found by reflection, with arguments that are mostly wrong: what it throws is for users, and
 * begins with the method's name, not that of an op inside.
 */
class CallersTest {

  private static final int[] INTS = {0, 99, -99, 1, -1, 2};
  private static final double[] DOUBLES = {1, 0.5, Double.NaN, -1, 1e300, 0};
  private static final int[][] AXES = {{0}, {99}, {0, 0}, {-99}, {}, {1, 2, 3}};
  private static final int VARIANTS = INTS.length;

  /** Right and wrong ones: of every type, of shapes that broadcast and that do not, of another device. */
  private static List<Tensor> others(Tensor x) {
    return List.of(
        x,
        Tensor.ones(7),
        Tensor.of(0, 9),
        Tensor.of(new int[][] {{0, 1, 0}, {1, 0, 1}}),
        Tensor.ones(DType.F64, 2, 3),
        Tensor.of(true),
        Tensor.ones(3, 4, 5, 6),
        Tensor.ones(2, 3).to(Device.reference()));
  }

  /** The arguments of a call, for each of its tensors one of the others. */
  private static List<Object> arguments(Method method, List<Tensor> others, int variant, int pick) {
    List<Object> arguments = new ArrayList<>();
    int rest = pick;
    for (Class<?> type : method.getParameterTypes()) {
      if (type == int.class) {
        arguments.add(INTS[variant]);
      } else if (type == double.class) {
        arguments.add(DOUBLES[variant]);
      } else if (type == boolean.class) {
        arguments.add(variant % 2 == 0);
      } else if (type == Tensor.class) {
        arguments.add(others.get(rest % others.size()));
        rest /= others.size();
      } else if (type == Shape.class) {
        arguments.add(Shape.of(variant + 1, variant == 5 ? 0 : 3));
      } else if (type == DType.class) {
        arguments.add(DType.values()[variant % 4]);
      } else if (type == int[].class) {
        arguments.add(AXES[variant]);
      } else if (type == List.class) {
        arguments.add(
            method.getName().equals("split")
                ? List.of(7, 1)
                : List.of(others.get(0), others.get(1)));
      } else {
        return List.of();
      }
    }
    return arguments;
  }

  private static int picks(Method method, int others) {
    long tensors =
        Arrays.stream(method.getParameterTypes()).filter(type -> type == Tensor.class).count();
    return (int) Math.pow(others, (double) tensors);
  }

  @Test
  void errorsBeginWithTheMethodThatWasCalled() {
    Set<String> wrong = new TreeSet<>();
    Set<String> refused = new TreeSet<>();
    for (Method method : Tensor.class.getMethods()) {
      if (method.getDeclaringClass() == Object.class) {
        continue;
      }
      try (var scope = TensorScope.open()) { // for each its own, since some write in place
        for (Tensor x : inputs()) {
          call(method, x, refused, wrong);
        }
      }
    }
    assertThat(String.join("\n", wrong)).isEmpty();
    assertThat(refused)
        .contains("cumprod", "argmax", "argmin", "maximum", "minimum", "scatter", "fullLike")
        .hasSizeGreaterThan(140);
  }

  private static List<Tensor> inputs() {
    return List.of(
        Tensor.of(new boolean[][] {{true, false, true}, {true, true, false}}),
        Tensor.of(new int[][] {{1, 2, 3}, {4, 5, 6}}),
        Tensor.full(DType.I32, 1 << 30, 2, 3), // whose sums and products do not fit
        Tensor.full(DType.I32, 1 << 15, 4), // whose products do, but no sum of them
        Tensor.ones(2, 3),
        Tensor.full(DType.F32, Double.NaN, 2, 3),
        Tensor.ones(DType.F32),
        Tensor.ones(0, 3));
  }

  /** A method of x with all arguments. */
  private static void call(Method method, Tensor x, Set<String> refused, Set<String> wrong) {
    List<Tensor> others = others(x);
    for (int k = 0; k < VARIANTS * picks(method, others.size()); k++) {
      List<Object> arguments = arguments(method, others, k % VARIANTS, k / VARIANTS);
      if (arguments.size() != method.getParameterCount()) {
        continue;
      }
      try (var step = TensorScope.open()) {
        Object unused =
            method.invoke(Modifier.isStatic(method.getModifiers()) ? null : x, arguments.toArray());
      } catch (InvocationTargetException e) {
        Throwable cause = e.getTargetException();
        if (!isOf(method, cause)) {
          wrong.add(method.getName() + ": " + cause);
        }
        refused.add(method.getName());
      } catch (IllegalAccessException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Whether an error is one for users, which names the method; of reading and of shapes, that. */
  private static boolean isOf(Method method, Throwable cause) {
    return cause instanceof TensorException
        && String.valueOf(cause.getMessage())
            .matches("(?s)(" + method.getName() + "[: ]|shape: negative size|reading ).*");
  }
}
