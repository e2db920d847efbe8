package carousel.zoo.cli;

import carousel.nn.io.AtomicFile;
import carousel.nn.recurrent.Cells;
import carousel.zoo.draw.Dot;
import carousel.zoo.draw.StepGraph;
import carousel.zoo.draw.Svg;
import carousel.zoo.run.Choice;
import carousel.zoo.run.Failure;
import carousel.zoo.run.Reporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Draws the computational graph of a cell. */
@Command(
    name = "graph",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    header = "Draws the computational graph of one step of a cell, as DOT and as SVG.")
final class GraphCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "CELL",
      completionCandidates = Names.OfCells.class,
      description = "One of ${COMPLETION-CANDIDATES}.")
  private String cell = "";

  @Option(names = "--forward", description = "Without the backward pass.")
  private boolean forward;

  @Option(names = "--out", paramLabel = "DIR", description = "Where to; here if not given.")
  private Path folder = Path.of("");

  @Override
  public Integer call() {
    Choice.require("CELL", cell, Cells.names());
    var diagram = StepGraph.of(cell, !forward);
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    out.println(
        String.format(
            Locale.ROOT,
            "%s: %d nodes, %d edges",
            diagram.title(),
            diagram.nodes().size(),
            diagram.edges().size()));
    String name = cell + (forward ? "-forward" : "");
    out.println("  " + Reporter.visible(write(name + ".dot", Dot.write(diagram)).toString()));
    out.println("  " + Reporter.visible(write(name + ".svg", Svg.write(diagram)).toString()));
    return 0;
  }

  private Path write(String name, String text) {
    var file = folder.resolve(name);
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      AtomicFile.writeString(file, text);
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
    return file;
  }
}
