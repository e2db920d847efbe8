package carousel.testing;

import carousel.autograd.GradCheck;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.provider.ArgumentsSource;

/**
 * Runs a parameterised test once for every order, device and seed, each time with the {@link GradCheck} of
 * them; they are its name, {@code order 2, cpu, seed 1}.
 *
 * <pre>{@code
 * class MyGradientsTest {
 *   @ParameterizedTest
 *   @GradCheckSource(
 *       orders = {1, 2},
 *       devices = {"cpu", "reference"},
 *       seeds = {1, 2, 3})
 *   void ofScaledTanh(GradCheck check) {
 *     Tensor x = Philox.of(check.seed()).normal(DType.F64, 0, 1, 3, 4);
 *     check.run("scaled tanh", in -> in[0].mul(2).tanh(), x).require();
 *   }
 * }
 * }</pre>
 *
 * <p>A device that is not there is reported as skipped, with the reason. Around each run a scope is open on
 * the device: see {@link ScopeExtension}.
 */
@Documented
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@ArgumentsSource(GradCheckArguments.class)
@ExtendWith(ScopeExtension.class)
public @interface GradCheckSource {
  /**
   * The orders of derivative, each the highest that its checks look at.
   *
   * @return 2 unless a test says otherwise
   */
  int[] orders() default 2;

  /**
   * The names of devices.
   *
   * @return {@code "cuda:0"} and the like; empty for those that {@code -Dcarousel.test.devices=cpu,cuda:0}
   *     names, and without that for all of this machine
   */
  String[] devices() default {};

  /**
   * The seeds of cotangents and directions; a test may draw its inputs by them, too.
   *
   * @return 1 unless a test says otherwise
   */
  long[] seeds() default 1;
}
