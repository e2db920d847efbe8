package carousel.autograd;

import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Shape;
import carousel.tensor.Storage;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import carousel.tensor.op.Cotangents;
import carousel.tensor.op.Vjp;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One recorded application of an op: where its inputs came from, what its rule will read, and the
 * cotangents that have arrived at its outputs.
 */
final class Node implements Vjp.Context {
  private final String label;
  private final Vjp vjp;
  private final @Nullable Edge[] edges;
  private final boolean[] wanted;
  private final Shape[] shapes;
  private final DType[] dtypes;
  private final Device[] devices;
  private final @Nullable Tensor[] savedInputs;
  private final int[] versions;
  private final Edge[] outputs;
  private final @Nullable Tensor[] savedOutputs;
  private final int[] outputVersions;

  /** Of the results the types and shapes; their memory may be gone. */
  private final Tensor[] results;

  private boolean rowwise;
  private boolean released;

  Node(
      String label,
      Vjp vjp,
      @Nullable Edge[] edges,
      boolean[] wanted,
      Tensor[] inputs,
      Tensor[] results) {
    this.label = label;
    this.vjp = vjp;
    this.edges = edges;
    this.wanted = wanted;
    int n = inputs.length;
    shapes = new Shape[n];
    dtypes = new DType[n];
    devices = new Device[n];
    savedInputs = new Tensor[n];
    versions = new int[n];
    for (int i = 0; i < n; i++) {
      Tensor x = inputs[i];
      shapes[i] = x.shape();
      dtypes[i] = x.dtype();
      devices[i] = x.device();
      if (vjp.readsInput(i, wanted)) {
        savedInputs[i] = x;
        versions[i] = save(x);
      }
    }
    int m = results.length;
    outputs = new Edge[m];
    savedOutputs = new Tensor[m];
    outputVersions = new int[m];
    boolean reads = vjp.readsOutput(wanted);
    for (int k = 0; k < m; k++) {
      outputs[k] = Edge.ofOutput(results[k]);
      if (reads) {
        savedOutputs[k] = results[k];
        outputVersions[k] = save(results[k]);
      }
    }
    this.results = results;
  }

  private static int save(Tensor x) {
    Storage storage = Engine.storage(x);
    storage.retain();
    return storage.version();
  }

  /** The op that was applied. */
  @Override
  public String label() {
    return label;
  }

  /** Its first result. */
  Tensor result() {
    return results[0];
  }

  /** The first cotangent that has arrived. */
  @Nullable Tensor arrived() {
    for (Edge output : outputs) {
      if (output.cotangent() != null) {
        return output.cotangent();
      }
    }
    return null;
  }

  Edge output(int k) {
    return outputs[k];
  }

  /** Lets a lookup of rows give its gradient as rows, where it goes to a leaf. */
  void looksUpRows() {
    rowwise = true;
  }

  /** Pulls the cotangents of the outputs back to the inputs, if any arrived. */
  void pull() {
    boolean reached = arrived() != null;
    Edge table = rowwise ? edges[0] : null;
    if (reached && table != null && table.takesRows()) {
      Tensor index = in(1);
      if (index.size() < shapes[0].dim(0)) {
        table.accumulate(index, g());
        return;
      }
    }
    if (reached) {
      @Nullable Tensor[] gradients = vjp.pull(this, wanted);
      Cotangents.requireCount(this, gradients);
      for (int i = 0; i < gradients.length; i++) {
        Edge edge = edges[i];
        Tensor g = gradients[i];
        if (wanted[i] && edge != null && g != null) {
          Cotangents.requireFit(this, i, g);
          edge.accumulate(g.sumTo(shapes[i]));
        }
      }
    }
  }

  /** Lets go of everything saved. */
  void release() {
    drop(savedInputs);
    drop(savedOutputs);
    if (!released) {
      released = true;
      vjp.release();
    }
    for (Edge output : outputs) {
      output.clear();
    }
  }

  private static void drop(@Nullable Tensor[] saved) {
    for (int i = 0; i < saved.length; i++) {
      Tensor x = saved[i];
      if (x != null) {
        Engine.storage(x).release();
        saved[i] = null;
      }
    }
  }

  @Override
  public Tensor g(int output) {
    Tensor g = outputs[output].cotangent();
    return g == null ? results[output].zerosLike(results[output].shape()) : g;
  }

  @Override
  public boolean reached(int output) {
    return outputs[output].cotangent() != null;
  }

  @Override
  public Tensor in(int input) {
    return unchanged("input", input, savedInputs[input], versions[input]);
  }

  @Override
  public Tensor out(int output) {
    return unchanged("output", output, savedOutputs[output], outputVersions[output]);
  }

  private Tensor unchanged(String kind, int index, @Nullable Tensor saved, int version) {
    if (saved == null) {
      throw new TensorException(
          label
              + ": its rule reads "
              + kind
              + " "
              + index
              + " without declaring it; name it in Vjp.Rule.from, or use Vjp.joint");
    }
    int now = Engine.storage(saved).version();
    if (now != version) {
      throw new TensorException(
          String.format(
              Locale.ROOT,
              "%s: %s %d %s was changed in place between the forward and the backward pass (version"
                  + " %d, now %d); assign after the gradients are taken, or use a copy()",
              label,
              kind,
              index,
              saved.shape(),
              version,
              now));
    }
    return saved;
  }

  @Override
  public boolean wanted(int input) {
    return wanted[input];
  }

  @Override
  public int inputs() {
    return shapes.length;
  }

  @Override
  public int outputs() {
    return results.length;
  }

  @Override
  public Shape outputShape(int output) {
    return results[output].shape();
  }

  @Override
  public Shape shape(int input) {
    return shapes[input];
  }

  @Override
  public DType dtype(int input) {
    return dtypes[input];
  }

  @Override
  public Device device(int input) {
    return devices[input];
  }
}
