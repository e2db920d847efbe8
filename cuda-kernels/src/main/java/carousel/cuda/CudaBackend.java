package carousel.cuda;

import carousel.cuda.driver.CudaDriver;
import carousel.cuda.family.CopyLaunches;
import carousel.cuda.family.ElementwiseLaunches;
import carousel.cuda.family.FormulaLaunches;
import carousel.cuda.family.IndexLaunches;
import carousel.cuda.family.LineLaunches;
import carousel.cuda.family.MatrixLaunches;
import carousel.cuda.family.RandomLaunches;
import carousel.cuda.family.ReduceLaunches;
import carousel.cuda.family.SortLaunches;
import carousel.cuda.launch.DeviceErrors;
import carousel.cuda.launch.Kernel;
import carousel.cuda.launch.Launcher;
import carousel.cuda.launch.View;
import carousel.cuda.layer.CrossEntropyKernel;
import carousel.cuda.layer.DropoutKernel;
import carousel.cuda.layer.LayerNormKernel;
import carousel.cuda.replay.CudaRecorder;
import carousel.cuda.scan.CellScanKernel;
import carousel.cuda.scan.GatesKernel;
import carousel.cuda.scan.RecurrentCell;
import carousel.cuda.scan.RecurrentKernels;
import carousel.cuda.scan.StepMatch;
import carousel.tensor.Engine;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Composite;
import carousel.tensor.op.Distribution;
import carousel.tensor.op.Formula;
import carousel.tensor.op.LayerComposites;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.spi.Backend;
import carousel.tensor.spi.Fused;
import carousel.tensor.spi.FusedTable;
import carousel.tensor.spi.Memory;
import carousel.tensor.spi.Recorder;
import carousel.tensor.spi.Setting;
import carousel.tensor.spi.SlabPool;
import carousel.tensor.trace.Traced;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A CUDA device: each method hands its operands to the launches of one family of kernels. Nothing waits
 * for the device but {@link #read}.
 */
public final class CudaBackend implements Backend {
  private final CudaRecorder recorder;
  private final CudaDriver driver;
  private final Memory memory;
  private final Launcher launcher;
  private final DeviceErrors errors;
  private final ElementwiseLaunches elementwise;
  private final CopyLaunches copies;
  private final ReduceLaunches reductions;
  private final LineLaunches lines;
  private final SortLaunches sorting;
  private final IndexLaunches indexing;
  private final MatrixLaunches matrices;
  private final RandomLaunches randoms;
  private final FormulaLaunches formulas;
  private final FusedTable fused;

  /**
   * A device.
   *
   * @param device what runs the kernels
   * @param pool where tensors, and temporaries, live: memory of the device
   */
  CudaBackend(CudaDriver device, Memory pool) {
    this.recorder = new CudaRecorder(device, pool);
    this.driver = recorder.driver();
    this.memory = recorder.memory();
    this.launcher = new Launcher(recorder);
    this.errors = new DeviceErrors(recorder, Setting.CUDA_BLOCKING.isTrue());
    this.elementwise = new ElementwiseLaunches(launcher);
    this.copies = new CopyLaunches(launcher);
    this.reductions = new ReduceLaunches(launcher, memory, errors);
    this.lines = new LineLaunches(launcher, memory, errors);
    this.sorting = new SortLaunches(launcher, memory);
    this.indexing = new IndexLaunches(launcher, memory, sorting, errors);
    this.matrices = new MatrixLaunches(launcher, copies, memory);
    this.randoms = new RandomLaunches(launcher);
    this.formulas = new FormulaLaunches(launcher, memory, errors);
    this.fused = new FusedTable(this, (op, inputs) -> CellScanKernel.of(launcher, op, inputs));
    fused.put(LayerComposites.CROSS_ENTROPY, new CrossEntropyKernel(launcher, errors)::offer);
    fused.put(LayerComposites.DROPOUT, new DropoutKernel(launcher)::offer);
    fused.put(LayerComposites.LAYER_NORM, new LayerNormKernel(launcher, memory)::offer);
    for (RecurrentCell cell : RecurrentCell.values()) {
      Composite gates = cell.composite();
      if (gates != null) {
        fused.put(gates, inputs -> GatesKernel.of(launcher, cell, inputs));
      }
    }
  }

  /** The pool of a driver's memory, with the cap that {@code -Dcarousel.cuda.memory} asks for. */
  static Memory pool(CudaDriver driver) {
    var source =
        new SlabPool.Source() {
          @Override
          public long take(long bytes) {
            return driver.allocate(bytes);
          }

          @Override
          public void giveBack(long address, long bytes) {
            driver.free(address);
          }
        };
    return SlabPool.configured(source, Setting.CUDA_MEMORY, () -> Long.MAX_VALUE);
  }

  /** All kernels there are, for the test that compares them with the files. */
  static Stream<Kernel> kernels() {
    return Stream.of(
            ElementwiseLaunches.kernels(),
            CopyLaunches.kernels(),
            ReduceLaunches.kernels(),
            LineLaunches.kernels(),
            SortLaunches.kernels(),
            IndexLaunches.kernels(),
            RandomLaunches.kernels(),
            CrossEntropyKernel.kernels(),
            DropoutKernel.kernels(),
            LayerNormKernel.kernels(),
            RecurrentKernels.all())
        .flatMap(family -> family);
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
  public void reduce(Reduce op, Tensor x, int[] axes, Tensor y) {
    reductions.reduce(op, x, axes, y);
  }

  @Override
  public void cumsum(Tensor x, int axis, Tensor y) {
    lines.cumsum(x, axis, y);
  }

  @Override
  public void linearScan(Tensor a, Tensor b, int axis, Tensor h) {
    lines.linearScan(a, b, axis, h);
  }

  @Override
  public void softmax(boolean log, Tensor x, int axis, Tensor y) {
    lines.softmax(log, x, axis, y);
  }

  @Override
  public void sort(Tensor x, int axis, boolean descending, Tensor values, Tensor indices) {
    sorting.sort(View.of(x), axis, descending, View.of(values), View.of(indices));
  }

  @Override
  public void matmul(Tensor a, Tensor b, Tensor y) {
    matrices.multiply(a, b, y);
  }

  @Override
  public void copy(Tensor x, Tensor y) {
    copies.copy(x, y);
  }

  @Override
  public void fill(Tensor y, double value) {
    copies.fill(y, value);
  }

  @Override
  public void gather(Tensor x, int axis, Tensor index, Tensor y) {
    indexing.gather(x, axis, index, y);
  }

  @Override
  public void scatterAdd(Tensor y, int axis, Tensor index, Tensor source) {
    indexing.scatterAdd(y, axis, index, source);
  }

  @Override
  public void indexSelect(Tensor x, Tensor index, Tensor y) {
    indexing.select(x, index, y);
  }

  @Override
  public void indexAdd(Tensor y, Tensor index, Tensor source) {
    indexing.add(y, index, source);
  }

  @Override
  public void random(Distribution distribution, Philox.Draw draw, Tensor y) {
    randoms.fill(distribution, draw, y);
  }

  @Override
  public void bernoulli(double probability, Philox.Draw draw, Tensor y) {
    randoms.below(probability, draw, y);
  }

  @Override
  public boolean inPlace(List<Formula.Call> calls, Supplier<List<Formula.Call>> again) {
    return formulas.run(calls, again);
  }

  @Override
  public boolean isAsynchronous() {
    return !errors.isBlocking();
  }

  @Override
  public Recorder recorder() {
    return recorder;
  }

  @Override
  public boolean makesKernels() {
    return true;
  }

  @Override
  public String refusal(Traced step, Tensor like, boolean affine) {
    return StepMatch.of(step) == null ? "it is the step of no cell that CUDA has kernels for" : "";
  }

  @Override
  public String description(Traced step, Tensor like, boolean affine) {
    var match = StepMatch.of(step);
    return match == null ? "" : "  the kernels of " + match.cell().label() + "\n";
  }

  @Override
  public @Nullable Fused fused(Composite op, Tensor[] inputs) {
    return fused.find(op, inputs);
  }

  @Override
  public void read(Tensor x, MemorySegment host) {
    if (host.byteSize() > 0) {
      driver.download(Engine.address(x), host);
    }
    errors.check();
  }

  @Override
  public void write(MemorySegment host, Tensor y) {
    if (host.byteSize() > 0) {
      driver.upload(host, Engine.address(y));
    }
  }
}
