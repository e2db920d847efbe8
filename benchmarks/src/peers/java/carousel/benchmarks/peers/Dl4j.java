package carousel.benchmarks.peers;

import carousel.benchmarks.compare.Server;
import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Work;
import carousel.tensor.DType;
import java.io.IOException;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.NoOp;

/**
 * LSTM layers of DL4J, forward and backward: outputs, then from a given {@code dy} the gradients of x
 * and of all parameters. Its arrays are {@code [N,D,T]}, as it prefers them. It has no GRU.
 */
public final class Dl4j implements Work {
  private final MultiLayerNetwork network;
  private final INDArray x;
  private final INDArray dy;

  private Dl4j(Task task) {
    if (task.kind() != Task.Kind.LSTM || task.dtype() != DType.F32) {
      throw new UnsupportedOperationException(
          "DL4J is measured on LSTM layers in f32, not on " + task);
    }
    var layers = new NeuralNetConfiguration.Builder().updater(new NoOp()).list();
    int hidden = task.size(3);
    for (int i = 0; i < task.size(4); i++) {
      layers.layer(
          new LSTM.Builder()
              .nIn(i == 0 ? task.size(2) : hidden)
              .nOut(hidden)
              .activation(Activation.TANH)
              .build());
    }
    network = new MultiLayerNetwork(layers.build());
    network.init();
    x = Nd4j.rand(DataType.FLOAT, task.size(1), task.size(2), task.size(0));
    dy = Nd4j.rand(DataType.FLOAT, task.size(1), hidden, task.size(0));
  }

  /**
   * Serves tasks to a coordinator.
   *
   * @param args none
   * @throws IOException if standard input cannot be read
   */
  public static void main(String[] args) throws IOException {
    Server.serve(Dl4j::new);
  }

  @Override
  public void run() {
    network.setInput(x);
    network.feedForward(true, false);
    network.backpropGradient(dy, null);
  }

  /** Its parameters have an order of their own and are not set. */
  @Override
  public double norm() {
    return Double.NaN;
  }

  @Override
  public void close() {
    network.close();
    x.close();
    dy.close();
  }
}
