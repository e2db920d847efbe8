package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Every method of a tensor, found by reflection, with arguments that are mostly wrong: what it throws is for users, and
 * begins with the method's name, not that of an op inside.
 */
class CallersTest {
  /** Rows that are called by another name than their method. */
  private static final Map<String, String> LABELS =
      Map.of("argmax", "argMax", "argmin", "argMin", "maximum", "max", "minimum", "min");

  private static final int[] INTS = {0, 99, -99, 1, -1, 2};
  private static final double[] DOUBLES = {1, 0.5, Double.NaN, -1, 1e300, 0};
  private static final int[][] AXES = {{0}, {99}, {0, 0}, {-99}, {}, {1, 2, 3}};

  private static List<Object> arguments(Method method, Tensor x, int variant) {
    List<Object> arguments = new ArrayList<>();
    for (Class<?> type : method.getParameterTypes()) {
      if (type == int.class) {
        arguments.add(INTS[variant]);
      } else if (type == double.class) {
        arguments.add(DOUBLES[variant]);
      } else if (type == boolean.class) {
        arguments.add(variant % 2 == 0);
      } else if (type == Tensor.class) {
        arguments.add(
            switch (variant) {
              case 0 -> x;
              case 1 -> Tensor.ones(7);
              case 2 -> Tensor.of(0, 9);
              case 3 -> Tensor.ones(DType.F64, 2, 3);
              case 4 -> Tensor.of(true);
              default -> Tensor.ones(3, 4, 5, 6);
            });
      } else if (type == Shape.class) {
        arguments.add(Shape.of(variant + 1, variant == 5 ? 0 : 3));
      } else if (type == DType.class) {
        arguments.add(DType.values()[variant % 4]);
      } else if (type == int[].class) {
        arguments.add(AXES[variant]);
      } else if (type == List.class) {
        arguments.add(
            method.getName().equals("split") ? List.of(7, 1) : List.of(x, Tensor.ones(7)));
      } else {
        return List.of();
      }
    }
    return arguments;
  }

  @Test
  void errorsBeginWithTheMethodThatWasCalled() {
    Set<String> wrong = new TreeSet<>();
    int thrown = 0;
    try (var scope = TensorScope.open()) {
      var inputs =
          List.of(
              Tensor.of(new boolean[][] {{true, false, true}, {true, true, false}}),
              Tensor.of(new int[][] {{1, 2, 3}, {4, 5, 6}}),
              Tensor.ones(2, 3),
              Tensor.ones(DType.F32),
              Tensor.ones(0, 3));
      for (Method method : Tensor.class.getMethods()) {
        for (Tensor x : inputs) {
          for (int variant = 0; variant < INTS.length; variant++) {
            List<Object> arguments = arguments(method, x, variant);
            if (method.getDeclaringClass() == Object.class
                || arguments.size() != method.getParameterCount()) {
              continue;
            }
            try (var step = TensorScope.open()) {
              Object unused =
                  method.invoke(
                      Modifier.isStatic(method.getModifiers()) ? null : x, arguments.toArray());
            } catch (InvocationTargetException e) {
              thrown++;
              String name = LABELS.getOrDefault(method.getName(), method.getName());
              Throwable cause = e.getTargetException();
              String message = String.valueOf(cause.getMessage());
              boolean names =
                  message.startsWith(name) || message.matches("(shape: negative size|reading) .*");
              if (!names || !(cause instanceof TensorException)) {
                wrong.add(method.getName() + ": " + cause);
              }
            } catch (IllegalAccessException e) {
              throw new IllegalStateException(e);
            }
          }
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(thrown).isGreaterThan(500);
  }
}
