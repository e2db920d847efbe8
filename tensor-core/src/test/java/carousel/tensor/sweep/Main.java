package carousel.tensor.sweep;

import carousel.tensor.cpu.ScalarKernels;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.vector.VectorKernels;
import carousel.tensor.op.Unary;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Sweeps rows over all numbers of F32 and prints a table; {@code benchmarks/sweep-rows} starts it. */
public final class Main {
  private static final String USAGE =
      """
      Compares rows of one F32 argument with their definitions in double precision, for all 2^32 arguments.
        --rows a,b      only these rows, by their names (tanh, log1p)
        --every N       only every N-th stretch of 4096 neighbours
        --loops LOOPS   vector (as this machine prefers), 128, 256, 512 (bits) or scalar
        --threads N     how many threads, of all processors\
      """;

  private Main() {}

  /**
   * Runs it.
   *
   * @param args see {@link #USAGE}
   * @throws ExecutionException if a sweep fails
   * @throws InterruptedException if it is interrupted
   */
  public static void main(String[] args) throws ExecutionException, InterruptedException {
    List<Unary> rows = Sweep.rows();
    int every = 1;
    int threads = Runtime.getRuntime().availableProcessors();
    String loops = "vector";
    for (int i = 0; i < args.length; i += 2) {
      if (i + 1 == args.length) {
        System.out.println(USAGE);
        return;
      }
      String value = args[i + 1];
      switch (args[i]) {
        case "--rows" -> rows = named(value);
        case "--every" -> every = Integer.parseInt(value);
        case "--loops" -> loops = value;
        case "--threads" -> threads = Integer.parseInt(value);
        default -> throw new IllegalArgumentException(args[i] + "\n" + USAGE);
      }
    }
    Kernels kernels =
        switch (loops) {
          case "vector" -> new VectorKernels();
          case "scalar" -> new ScalarKernels();
          default -> new VectorKernels(Integer.parseInt(loops));
        };
    System.out.println("F32, " + kernels.description() + ", every " + every + ". stretch");
    System.out.println();
    System.out.println("| row | ulp | falls | uneven | NaN, ∞, sign of 0 | range |");
    System.out.println("|---|---|---|---|---|---|");
    for (Unary row : rows) {
      System.out.println(sweep(row, kernels, every, threads).line(row.label()));
    }
  }

  private static List<Unary> named(String names) {
    List<String> all = Arrays.asList(names.split(","));
    List<Unary> rows = Sweep.rows().stream().filter(row -> all.contains(row.label())).toList();
    if (rows.size() < all.size()) {
      throw new IllegalArgumentException(
          "--rows " + names + ": there are " + Sweep.rows().stream().map(Unary::label).toList());
    }
    return rows;
  }

  private static Figures sweep(Unary row, Kernels kernels, int every, int threads)
      throws ExecutionException, InterruptedException {
    var next = new AtomicInteger();
    List<Future<Figures>> parts = new ArrayList<>();
    try (var pool = Executors.newFixedThreadPool(threads)) {
      for (int i = 0; i < threads; i++) {
        parts.add(
            pool.submit(() -> {
              try (var memory = Arena.ofConfined()) {
                var sweep = new Sweep(row, kernels, memory);
                for (int k = next.getAndAdd(every);
                    k < Sweep.STRETCHES;
                    k = next.getAndAdd(every)) {
                  sweep.stretch(k);
                }
                return sweep.figures();
              }
            }));
      }
    }
    Figures all = Figures.NONE;
    for (Future<Figures> part : parts) {
      all = all.and(part.get());
    }
    return all;
  }
}
