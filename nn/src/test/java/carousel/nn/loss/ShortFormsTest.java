package carousel.nn.loss;

import static carousel.tensor.DType.F64;
import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.Philox;
import carousel.tensor.Shape;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever loss takes a reduction has a form without it, which is the mean: found by its signature, so none is left out. */
class ShortFormsTest {

  static Stream<Method> reduced() {
    return Arrays.stream(Loss.class.getMethods())
        .filter(method -> Arrays.asList(method.getParameterTypes()).contains(Reduction.class));
  }

  private static Object[] arguments(Method method) {
    var rng = Philox.of(1);
    boolean isOfTokens = List.of("crossEntropy", "nll").contains(method.getName());
    List<Object> all = new ArrayList<>();
    for (Class<?> type : method.getParameterTypes()) {
      if (type == double.class) {
        all.add(0.3);
      } else if (type == Tensor.class) {
        all.add(
            isOfTokens && !all.isEmpty()
                ? Tensor.of(Shape.of(3), 0, 3, 1)
                : rng.uniform(F64, 0.1, 0.9, 3, 4));
      }
    }
    return all.toArray();
  }

  @ParameterizedTest
  @MethodSource("reduced")
  void isTheMean(Method method) throws ReflectiveOperationException {
    try (var scope = TensorScope.open()) {
      Object[] given = arguments(method);
      Class<?>[] types =
          Arrays.stream(method.getParameterTypes())
              .filter(type -> type != Reduction.class)
              .toArray(Class<?>[]::new);
      Method brief = Loss.class.getMethod(method.getName(), types);
      Tensor mean = call(method, with(given, Reduction.MEAN));
      assertThat(call(brief, given).sameValues(mean)).isTrue();
      Tensor each = call(method, with(given, Reduction.NONE));
      assertThat(mean.rank()).isZero();
      assertThat(mean.item())
          .isCloseTo(each.mean().item(), org.assertj.core.data.Offset.offset(1e-14));
    }
  }

  @org.junit.jupiter.api.Test
  void widthsAreOneAsInPyTorch() {
    try (var scope = TensorScope.open()) {
      Tensor x = Philox.of(1).normal(F64, 0, 2, 50);
      Tensor y = x.zerosLike();
      assertThat(Loss.huber(x, y).sameValues(Loss.huber(x, y, 1))).isTrue();
      assertThat(Loss.smoothL1(x, y).sameValues(Loss.smoothL1(x, y, 1))).isTrue();
    }
  }

  private static Object[] with(Object[] given, Reduction reduction) {
    Object[] all = Arrays.copyOf(given, given.length + 1);
    all[given.length] = reduction;
    return all;
  }

  private static Tensor call(Method method, Object[] arguments)
      throws IllegalAccessException, InvocationTargetException {
    return (Tensor) method.invoke(null, arguments);
  }
}
