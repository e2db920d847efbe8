package carousel.benchmarks;

import carousel.jmh.WarmUp;
import java.lang.reflect.InvocationTargetException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.Blackhole;

/**
 * How every benchmark here is measured: the mean of five seconds, after a warm-up that ends when the compiler
 * has done. A subclass says otherwise by an annotation of its own.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public abstract class Measured {
  private boolean warm;

  /**
   * Before the first iteration, which is when all that is set up for the whole trial is there: runs the
   * benchmark until it is compiled. What JMH warms up then is its own loop.
   *
   * @param params says which benchmark this is
   * @param blackhole takes its results
   */
  @Setup(Level.Iteration)
  public void warmUp(BenchmarkParams params, Blackhole blackhole) {
    if (warm) {
      return;
    }
    warm = true;
    String name = params.getBenchmark();
    Runnable work = work(name.substring(name.lastIndexOf('.') + 1), blackhole);
    var unused = WarmUp.standard().run(work);
  }

  private Runnable work(String name, Blackhole blackhole) {
    try {
      var method = getClass().getMethod(name);
      return () -> {
        try {
          blackhole.consume(method.invoke(this));
        } catch (InvocationTargetException e) {
          throw new IllegalStateException(name + " failed while it was warmed up", e.getCause());
        } catch (IllegalAccessException e) {
          throw new AssertionError(e); // JMH calls it, so it is public
        }
      };
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(
          "the benchmark " + name + " takes arguments; keep what it needs in fields", e);
    }
  }
}
