package carousel.nn.kernels;

import carousel.nn.kernels.Mutant.Wrong;
import carousel.tensor.DType;
import carousel.tensor.cpu.loop.Exponentials;
import carousel.tensor.cpu.loop.Fold;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Loop;
import carousel.tensor.cpu.loop.Pointwise;
import carousel.tensor.cpu.loop.Tile;
import carousel.tensor.cpu.loop.TileSum;
import carousel.tensor.cpu.loop.Tiles;
import carousel.tensor.cpu.loop.Transpose;
import carousel.tensor.cpu.loop.Uniforms;
import carousel.tensor.host.Bytes;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Loops of F64 that are right until a mutant is chosen: then an instruction of a program gives a wrong
 * number, or one call of a loop does.
 *
 * <p>Programs are broken wherever they run; of the other loops a single call is, counted while {@link
 * #watch} runs.
 */
final class BrokenKernels implements Kernels {
  /** In how many ways a call is broken. */
  static final int WAYS = 4;

  private final Kernels sound;
  private final List<BrokenProgram> programs = new ArrayList<>();

  /** What was called while calls were counted, in words. */
  private final List<String> calls = new ArrayList<>();

  private @Nullable Mutant mutant;
  private boolean watching;
  private int called;
  private boolean changed;

  BrokenKernels(Kernels sound) {
    this.sound = sound;
  }

  /** Runs something of which calls are counted, and one may be broken. */
  void watch(Runnable run) {
    watching = true;
    called = 0;
    calls.clear();
    try {
      run.run();
    } finally {
      watching = false;
    }
  }

  /** All mutants of the programs made so far. */
  List<Mutant> ofPrograms() {
    return programs.stream().flatMap(program -> program.mutants().stream()).toList();
  }

  /** All mutants of the calls of the last {@link #watch}, {@link #WAYS} of each. */
  List<Mutant> ofCalls() {
    List<Mutant> all = new ArrayList<>();
    for (int call = 0; call < calls.size(); call++) {
      String where = "call " + call + " " + calls.get(call);
      int site = call;
      all.add(new Mutant(where, "negated", site, (right, before) -> -right));
      all.add(new Mutant(where, "doubled", site, (right, before) -> 2 * right - before[0]));
      all.add(new Mutant(where, "missing", site, (right, before) -> before[0]));
      all.add(new Mutant(where, "alone", site, (right, before) -> right - before[0]));
    }
    return all;
  }

  /** Breaks something; nothing for null. */
  void choose(@Nullable Mutant broken) {
    boolean ofProgram = false;
    for (BrokenProgram program : programs) {
      boolean its = broken != null && program.mutants().contains(broken);
      program.choose(its ? broken : null);
      ofProgram |= its;
    }
    mutant = ofProgram ? null : broken;
    changed = false;
  }

  /** Whether what is broken has given another number than the right one. */
  boolean isChanged() {
    return changed || programs.stream().anyMatch(BrokenProgram::isChanged);
  }

  @Override
  public Pointwise.@Nullable Executable pointwise(Pointwise program, DType type) {
    if (sound.pointwise(program, type) == null || type != DType.F64) {
      return sound.pointwise(program, type);
    }
    var broken = new BrokenProgram("program " + programs.size(), program, tiles(type).lanes());
    programs.add(broken);
    return broken;
  }

  /** The wrong way of this call; null if it is to be right. */
  private @Nullable Wrong wrong(String name) {
    if (!watching) {
      return null;
    }
    calls.add(name);
    return mutant != null && mutant.site() == called++ ? mutant.wrong() : null;
  }

  private double broken(Wrong wrong, double right, double before) {
    double number = wrong.of(right, before);
    changed |= Mutant.differ(number, right);
    return number;
  }

  /** Breaks {@code n} numbers of F64 that a loop has written, where it was to write onto nothing. */
  private void breakAll(Wrong wrong, long out, int n) {
    for (int i = 0; i < n; i++) {
      Bytes.f64(out + 8L * i, broken(wrong, Bytes.f64(out + 8L * i), 0));
    }
  }

  private Loop loop(String name, boolean isF64, Loop right) {
    return !isF64
        ? right
        : (x, xStep, y, yStep, z, zStep, out, n) -> {
          right.run(x, xStep, y, yStep, z, zStep, out, n);
          Wrong wrong = wrong(name);
          if (wrong != null) {
            breakAll(wrong, out, n);
          }
        };
  }

  private Fold fold(String name, Fold right) {
    return (x, n) -> {
      Wrong wrong = wrong(name);
      double result = right.run(x, n);
      return wrong == null ? result : broken(wrong, result, 0);
    };
  }

  @Override
  public Exponentials exponentials(DType type) {
    Exponentials right = sound.exponentials(type);
    return type != DType.F64
        ? right
        : (x, n, max, factor, out) -> {
          double sum = right.run(x, n, max, factor, out);
          Wrong wrong = wrong(out == 0 ? "sum of exponentials" : "exponentials");
          if (wrong != null && out != 0) {
            breakAll(wrong, out, n);
          }
          return wrong != null && out == 0 ? broken(wrong, sum, 0) : sum;
        };
  }

  @Override
  public Tiles tiles(DType type) {
    Tiles right = sound.tiles(type);
    return type != DType.F64 ? right : new BrokenTiles(right);
  }

  /** Tiles of which each call is one of those that are counted. */
  private final class BrokenTiles implements Tiles {
    private final Tiles right;

    BrokenTiles(Tiles right) {
      this.right = right;
    }

    @Override
    public Tile tile(Tile.Packing packing, int rows, int vectors) {
      return new BrokenTile(right.tile(packing, rows, vectors), vectors);
    }

    @Override
    public int elementSize() {
      return right.elementSize();
    }

    @Override
    public int width() {
      return right.width();
    }

    @Override
    public int lanes() {
      return right.lanes();
    }

    @Override
    public int maxRows() {
      return right.maxRows();
    }

    @Override
    public TileSum sum() {
      return right.sum();
    }

    @Override
    public Object array(int length) {
      return right.array(length);
    }

    @Override
    public Tile.Packing packing(long row, long column) {
      return right.packing(row, column);
    }

    @Override
    public void packA(
        Tile.Packing packing,
        long a,
        long row,
        long column,
        int rows,
        int k,
        Object into,
        int offset) {
      right.packA(packing, a, row, column, rows, k, into, offset);
    }

    @Override
    public void packB(long b, long row, long column, int k, int columns, long into) {
      right.packB(b, row, column, k, columns, into);
    }
  }

  /** A tile; what it starts from is what was there before. */
  private final class BrokenTile implements Tile {
    private final Tile right;
    private final int vectors;

    BrokenTile(Tile right, int vectors) {
      this.right = right;
      this.vectors = vectors;
    }

    @Override
    public int rows() {
      return right.rows();
    }

    @Override
    public int width() {
      return right.width();
    }

    @Override
    public void run(
        Object a,
        int aOffset,
        int aBlock,
        int k,
        long b,
        long bRow,
        long init,
        long initRow,
        long initNext,
        long out,
        long outRow,
        long outNext) {
      Wrong wrong =
          wrong(String.format(Locale.ROOT, "product [%d,%d] · [%d,%d]", rows(), k, k, width()));
      double[] before = wrong == null ? new double[0] : read(init, initRow, initNext);
      right.run(a, aOffset, aBlock, k, b, bRow, init, initRow, initNext, out, outRow, outNext);
      if (wrong != null) {
        double[] after = read(out, outRow, outNext);
        int lanes = width() / vectors;
        for (int i = 0; i < after.length; i++) {
          long to = out + i / width() * outRow + i % width() / lanes * outNext + i % lanes * 8L;
          Bytes.f64(to, broken(wrong, after[i], before[i]));
        }
      }
    }

    private double[] read(long from, long row, long next) {
      int lanes = width() / vectors;
      double[] values = new double[rows() * width()];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            Bytes.f64(from + i / width() * row + i % width() / lanes * next + i % lanes * 8L);
      }
      return values;
    }
  }

  @Override
  public String description() {
    return sound.description() + ", to be broken";
  }

  @Override
  public Loop unary(Unary op, DType type) {
    return loop(op.label(), op.result(type) == DType.F64, sound.unary(op, type));
  }

  @Override
  public Loop binary(Binary op, DType type) {
    return loop(op.label(), op.result(type) == DType.F64, sound.binary(op, type));
  }

  @Override
  public Loop ternary(Ternary op, DType type) {
    return loop(op.label(), type == DType.F64, sound.ternary(op, type));
  }

  @Override
  public Loop cast(DType from, DType to) {
    return loop("copy", to == DType.F64, sound.cast(from, to));
  }

  @Override
  public Loop accumulate() {
    return loop("accumulate", true, sound.accumulate());
  }

  @Override
  public Fold sum(DType type) {
    return fold("sum", sound.sum(type));
  }

  @Override
  public Fold product(DType type) {
    return fold("product", sound.product(type));
  }

  @Override
  public Fold squares(DType type) {
    return fold("squares", sound.squares(type));
  }

  @Override
  public Fold max(DType type) {
    return fold("max", sound.max(type));
  }

  @Override
  public Fold min(DType type) {
    return fold("min", sound.min(type));
  }

  @Override
  public Uniforms uniforms(Uniforms.Form form) {
    return sound.uniforms(form);
  }

  @Override
  public int size(Op op, DType type) {
    return sound.size(op, type);
  }

  @Override
  public Transpose transpose(int elementSize) {
    return sound.transpose(elementSize);
  }
}
