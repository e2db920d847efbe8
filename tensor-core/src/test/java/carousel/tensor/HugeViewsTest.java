package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every method of a tensor, found by reflection, on views of more than 2³¹ elements over one: it works, or the error is
 * one for users, which begins with the op.
 */
class HugeViewsTest {
  private static final int SIDE = 46_341;
  private static final double COUNT = (double) SIDE * SIDE;
  private static final long ROOM = 64L << 20;

  /** Engines' own, which do no work, and those of any object. */
  private static final Set<String> LEFT_OUT =
      Set.of(
          "over",
          "expanded",
          "equals",
          "hashCode",
          "writeTo",
          "readFrom",
          "wait",
          "notify",
          "notifyAll",
          "getClass");

  static Stream<Method> methods() {
    return Arrays.stream(Tensor.class.getMethods())
        .filter(m -> !Modifier.isStatic(m.getModifiers()) && !LEFT_OUT.contains(m.getName()))
        .sorted(Comparator.comparing(Method::toString));
  }

  private static List<Object> arguments(Method method, Tensor x) {
    List<Object> arguments = new ArrayList<>();
    int ints = 0;
    for (Class<?> type : method.getParameterTypes()) {
      if (type == int.class) {
        // An axis first, then sizes as large as they come.
        arguments.add(ints++ == 0 ? 0 : SIDE);
      } else if (type == double.class) {
        arguments.add(1.0);
      } else if (type == boolean.class) {
        arguments.add(false);
      } else if (type == Tensor.class) {
        arguments.add(x);
      } else if (type == Shape.class) {
        arguments.add(Shape.of(2, SIDE, SIDE));
      } else if (type == DType.class) {
        arguments.add(x.dtype() == DType.F64 ? DType.F32 : DType.F64);
      } else if (type == Device.class) {
        arguments.add(Device.reference());
      } else if (type == int[].class) {
        arguments.add(new int[] {0, 1});
      } else if (type == List.class) {
        arguments.add(List.of(1, SIDE - 1));
      } else {
        return List.of();
      }
    }
    return arguments;
  }

  @ParameterizedTest
  @EnumSource
  void everyMethodWorksOrSaysWhatIsTooLarge(DType dtype) {
    Set<String> wrong = new TreeSet<>();
    long limit = Device.cpu().backend().memory().limit();
    try (var scope = TensorScope.open(Device.cpu())) {
      Tensor one = Tensor.ones(dtype, 1, 1);
      Device.cpu().backend().memory().limit(Device.cpu().backend().memory().inUse() + ROOM);
      for (Method method : methods().toList()) {
        Tensor x = one.expand(SIDE, SIDE);
        List<Object> arguments = arguments(method, x);
        if (arguments.size() == method.getParameterCount()) {
          String found = call(method, x, arguments);
          if (!found.isEmpty()) {
            wrong.add(method.getName() + ": " + found);
          }
        }
      }
    } finally {
      Device.cpu().backend().memory().limit(limit);
    }
    assertThat(wrong).isEmpty();
  }

  private static String call(Method method, Tensor x, List<Object> arguments) {
    try (var step = TensorScope.open()) {
      Object unused = method.invoke(x, arguments.toArray());
      return "";
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      boolean told =
          cause instanceof TensorException
              && String.valueOf(cause.getMessage())
                  .matches("(?s)[a-z][A-Za-z0-9]*( \\[[0-9,]*\\])?: .*|reading .*");
      return told ? "" : String.valueOf(cause);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What is the same everywhere is read once; the figures are those of so many equal numbers. */
  @ParameterizedTest
  @MethodSource("carousel.tensor.DevicesUnderTest#all")
  void reductionsOfBroadcastViewsNeedNoCopy(Device device) {
    try (var scope = TensorScope.open(device)) {
      for (DType type : new DType[] {DType.F32, DType.F64}) {
        Tensor x = Tensor.full(type, 0.1, 1, 1).expand(SIDE, SIDE);
        double each = Tensor.full(type, 0.1).item();
        double ulp = type == DType.F32 ? 0x1p-23 : 0x1p-51;
        near(x.sum(), each * COUNT, ulp);
        near(x.mean(), each, 0);
        near(x.max(), each, 0);
        near(x.min(), each, 0);
        near(x.norm(), each * Math.sqrt(COUNT), ulp);
        near(x.logSumExp(), each + Math.log(COUNT), ulp);
        assertThat(x.argmax(1).max().item()).isZero();
        assertThat(x.allClose(x, 0, 0)).isTrue();
        assertThat(x.allClose(Tensor.zeros(type, 1).expand(SIDE, SIDE), 0, 0)).isFalse();
        near(Tensor.of(type, 1, 2).unsqueeze(1).expand(2, 1 << 30).sum(), 3.0 * (1 << 30), ulp);
        assertThat(Tensor.of(type, 1, 2).unsqueeze(1).expand(2, 5000).sum(1).toDoubleArray())
            .containsExactly(5000, 10_000);
      }
      Tensor mask = Tensor.of(true).expand(SIDE, SIDE);
      assertThat(mask.any().item()).isEqualTo(1);
      assertThat(mask.all().item()).isEqualTo(1);
      assertThat(Tensor.of(1).expand(30_000, 30_000).sum().item()).isEqualTo(9e8);
    }
  }

  private static void near(Tensor actual, double wanted, double relative) {
    assertThat(Math.abs(actual.item() - wanted)).isLessThanOrEqualTo(relative * Math.abs(wanted));
  }

  @Test
  void sizesThatNoAxisHasAreNamed() {
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.ones(1, 1).expand(2, Integer.MAX_VALUE);
      says(
          () -> x.pad(1, 1, 1, 0), "pad: axis 1 of [2,2147483647] would have 2147483649 positions");
      says(
          () -> Tensor.concat(List.of(x, x), 1), "concat: an axis would have 4294967294 positions");
      says(() -> x.flatten(), "reshape: [2,2147483647] to [-1]: an axis would have 4294967294");
      Tensor index = Tensor.of(0).expand(2, Integer.MAX_VALUE);
      says(() -> Tensor.ones(3).indexSelect(index, 0), "indexSelect");
      says(() -> x.toDoubleArray(), "toDoubleArray: [2,2147483647] has 4294967294 elements");
    }
  }

  private static void says(Runnable code, String message) {
    org.assertj.core.api.Assertions.assertThatThrownBy(code::run)
        .isInstanceOf(TensorException.class)
        .hasMessageContaining(message);
  }
}
