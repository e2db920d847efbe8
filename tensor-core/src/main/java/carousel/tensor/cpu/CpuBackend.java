package carousel.tensor.cpu;

import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.cpu.loop.Kernels;
import carousel.tensor.cpu.loop.Workers;
import carousel.tensor.cpu.row.Composites;
import carousel.tensor.cpu.scan.Scans;
import carousel.tensor.host.Bytes;
import carousel.tensor.host.HostMemory;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Distribution;
import carousel.tensor.op.Formula;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Scan;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import carousel.tensor.spi.FusedTable;
import carousel.tensor.spi.Memory;
import carousel.tensor.trace.Traced;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The host's processors. Each method brings its operands into a form for one of the {@link Kernels}
 * and shares the work among {@link Workers}; the loops come from the Vector API where it is there.
 */
public final class CpuBackend implements Backend {
  private final Memory memory;
  private final Kernels kernels;
  private final Table table;
  private final ElementwiseLoops elementwise;
  private final ReduceLoops reductions;
  private final LineLoops lines;
  private final MatrixLoops matrices;
  private final RandomLoops randoms;
  private final FusedTable fused;
  private final Scans scans;

  /** The CPU with the loops that {@code -Dcarousel.vector} asks for, and memory up to {@code -Dcarousel.memory}. */
  public CpuBackend() {
    this(HostMemory.configured(), KernelChoice.configured());
  }

  /**
   * The CPU with given loops.
   *
   * @param memory where tensors, and temporary copies, live
   * @param kernels the loops
   */
  public CpuBackend(Memory memory, Kernels kernels) {
    this.memory = memory;
    this.kernels = kernels;
    this.table = new Table(kernels);
    this.elementwise = new ElementwiseLoops(table, new CopyLoops(kernels), memory);
    this.reductions = new ReduceLoops(table, elementwise, memory);
    this.lines = new LineLoops(table, elementwise, memory);
    this.scans = new Scans(kernels, table::tiles);
    this.matrices = new MatrixLoops(table, memory);
    this.randoms = new RandomLoops(table);
    this.fused = new FusedTable(this, new Composites(kernels, table::tiles)::of);
    fused.put(LayerComposites.CROSS_ENTROPY, new CrossEntropyKernel(table)::offer);
    fused.put(LayerComposites.DROPOUT, new DropoutKernel(table)::offer);
  }

  /** {@return what computes, e.g. {@code Vector API, 512 bits}} */
  public String description() {
    return kernels.description();
  }

  @Override
  public Memory memory() {
    return memory;
  }

  @Override
  public void unary(Unary op, Tensor x, Tensor y) {
    elementwise.unary(op, x, y);
  }

  @Override
  public void binary(Binary op, Tensor a, Tensor b, Tensor y) {
    elementwise.binary(op, a, b, y);
  }

  @Override
  public void ternary(Ternary op, Tensor a, Tensor b, Tensor c, Tensor y) {
    elementwise.ternary(op, a, b, c, y);
  }

  @Override
  public void copy(Tensor x, Tensor y) {
    elementwise.copy(x, y);
  }

  @Override
  public void fill(Tensor y, double value) {
    elementwise.fill(y, value);
  }

  @Override
  public void reduce(Reduce op, Tensor x, int[] axes, Tensor y) {
    reductions.reduce(op, x, axes, y);
  }

  @Override
  public void cumsum(Tensor x, int axis, Tensor y) {
    lines.cumsum(x, axis, y);
  }

  @Override
  public void linearScan(Tensor a, Tensor b, int axis, Tensor h) {
    LinearScans.run(a, b, axis, h);
  }

  @Override
  public void softmax(boolean log, Tensor x, int axis, Tensor y) {
    lines.softmax(log, x, axis, y);
  }

  @Override
  public void sort(Tensor x, int axis, boolean descending, Tensor values, Tensor indices) {
    lines.sort(x, axis, descending, values, indices);
  }

  @Override
  public void matmul(Tensor a, Tensor b, Tensor y) {
    matrices.multiply(a, b, y);
  }

  @Override
  public void gather(Tensor x, int axis, Tensor index, Tensor y) {
    IndexLoops.gather(x, axis, index, y);
  }

  @Override
  public void scatterAdd(Tensor y, int axis, Tensor index, Tensor source) {
    IndexLoops.scatterAdd(y, axis, index, source);
  }

  @Override
  public void indexSelect(Tensor x, Tensor index, Tensor y) {
    IndexLoops.select(x, index, y);
  }

  @Override
  public void indexAdd(Tensor y, Tensor index, Tensor source) {
    IndexLoops.add(table.binary(Binary.ADD, y.dtype()), y, index, source);
  }

  @Override
  public void random(Distribution distribution, Philox.Draw draw, Tensor y) {
    randoms.fill(distribution, draw.seed(), draw.counter(), y);
  }

  @Override
  public void bernoulli(double probability, Philox.Draw draw, Tensor y) {
    randoms.below(probability, draw.seed(), draw.counter(), y);
  }

  @Override
  public boolean makesKernels() {
    return scans.isAble();
  }

  @Override
  public String refusal(Traced step, Tensor like, boolean affine) {
    return scans.refusal(step, like, affine);
  }

  @Override
  public String description(Traced step, Tensor like, boolean affine) {
    return scans.description(step, like, affine);
  }

  @Override
  public @Nullable Fused fused(Composite op, Tensor[] inputs) {
    return op.body() instanceof Scan scan ? scans.of(scan, inputs) : fused.find(op, inputs);
  }

  @Override
  public void read(Tensor x, MemorySegment host) {
    Bytes.copy(Bytes.ALL, Engine.address(x), host, 0, x.size() * x.dtype().bytes());
  }

  @Override
  public void write(MemorySegment host, Tensor y) {
    Bytes.copy(host, 0, Bytes.ALL, Engine.address(y), y.size() * y.dtype().bytes());
  }

  @Override
  public boolean inPlace(List<Formula.Call> calls, Supplier<List<Formula.Call>> again) {
    var job = FormulaJob.of(calls, table);
    if (job != null) {
      job.run();
    }
    return job != null;
  }
}
