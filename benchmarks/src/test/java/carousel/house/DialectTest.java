package carousel.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.BlockTree;
import com.sun.source.tree.CaseTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.ForLoopTree;
import com.sun.source.tree.IdentifierTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.TryTree;
import com.sun.source.tree.UnaryTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** CONTRIBUTING's "How code is written", as far as a parser can tell. */
class DialectTest {
  /** Types that a reader wants to see. */
  private static final Set<String> SAID = Set.of("Tensor", "String");

  @Test
  void localsSayTheirTypeOnce() throws IOException {
    List<Path> files = new ArrayList<>();
    for (String module : House.MODULES) {
      files.addAll(sources(House.root().resolve(module).resolve("src")));
    }
    assertThat(files).hasSizeGreaterThan(1000);
    assertThat(wrong(files)).isEmpty();
  }

  @Test
  void itIsNoticedWhereTheyDoNot() throws IOException {
    Path file = Files.createTempDirectory("dialect").resolve("Wrong.java");
    Files.writeString(
        file,
        """
        class Wrong {
          private static final Shape SHAPE = Shape.of(2);

          void numbers() {
            var sum = -0.5;
            int right = 3;
          }

          void tensors() {
            var zeros = Tensor.zeros(3);
            Tensor right = Tensor.zeros(3);
          }

          void made() {
            Foo foo = new Foo(1);
            ArrayList<Foo> foos = new ArrayList<>();
            List<Foo> right = new ArrayList<>();
            Foo other = new Foo(1) {};
          }

          void named() {
            Shape shape = Shape.of(2);
            Shape dims = Shape.of(2).last();
            List<Foo> foos = List.of(1);
          }
        }
        """);
    assertThat(wrong(List.of(file)))
        .map(line -> line.substring(line.lastIndexOf("java:")))
        .containsExactly(
            "java:5: sum = -0.5: numbers and words have a type, not var",
            "java:10: zeros = Tensor.zeros(3): a Tensor has a type, not var",
            "java:15: foo = new Foo(1): the right side names the type, so var",
            "java:16: foos = new ArrayList<>(): the right side names the type, so var",
            "java:22: shape = Shape.of(2): the right side names the type, so var");
  }

  private static List<Path> sources(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".java") && !file.endsWith("module-info.java"))
          .toList();
    }
  }

  private static List<String> wrong(List<Path> files) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> wrong = new ArrayList<>();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      var task =
          (JavacTask)
              compiler.getTask(
                  new StringWriter(),
                  manager,
                  null,
                  List.of("-proc:none"),
                  null,
                  manager.getJavaFileObjectsFromPaths(files));
      SourcePositions positions = Trees.instance(task).getSourcePositions();
      for (CompilationUnitTree unit : task.parse()) {
        new Locals(unit, positions, wrong).scan(unit, null);
      }
    }
    return wrong;
  }

  /** Looks at the locals of a file. */
  private static final class Locals extends TreePathScanner<@Nullable Void, @Nullable Void> {
    private final CompilationUnitTree unit;
    private final SourcePositions positions;
    private final List<String> wrong;
    private final String text;

    Locals(CompilationUnitTree unit, SourcePositions positions, List<String> wrong)
        throws IOException {
      this.unit = unit;
      this.positions = positions;
      this.wrong = wrong;
      this.text = unit.getSourceFile().getCharContent(true).toString();
    }

    @Override
    public @Nullable Void visitVariable(VariableTree local, @Nullable Void nothing) {
      ExpressionTree value = local.getInitializer();
      if (value != null && isLocal() && local.getModifiers().getAnnotations().isEmpty()) {
        int start = (int) positions.getStartPosition(unit, local);
        String reason =
            text.startsWith("var ", start) ? againstVar(value) : forVar(local.getType(), value);
        if (reason != null) {
          long line = unit.getLineMap().getLineNumber(start);
          wrong.add(
              String.format(
                  "%s:%d: %s = %s: %s",
                  unit.getSourceFile().getName(), line, local.getName(), value, reason));
        }
      }
      return super.visitVariable(local, null);
    }

    private boolean isLocal() {
      Tree around = getCurrentPath().getParentPath().getLeaf();
      return around instanceof BlockTree
          || around instanceof TryTree
          || around instanceof CaseTree
          || around instanceof ForLoopTree;
    }

    private static @Nullable String againstVar(ExpressionTree value) {
      ExpressionTree inner = value instanceof UnaryTree sign ? sign.getExpression() : value;
      if (inner instanceof LiteralTree) {
        return "numbers and words have a type, not var";
      }
      String owner = owner(value);
      return SAID.contains(owner) ? "a " + owner + " has a type, not var" : null;
    }

    private static @Nullable String forVar(@Nullable Tree type, ExpressionTree value) {
      String declared = String.valueOf(type).replaceAll("<.*>", "");
      boolean isNamed =
          switch (value) {
            case NewClassTree made ->
                made.getClassBody() == null
                    && declared.equals(made.getIdentifier().toString().replaceAll("<.*>", ""));
            default -> type instanceof IdentifierTree && declared.equals(owner(value));
          };
      return isNamed && !SAID.contains(declared) ? "the right side names the type, so var" : null;
    }

    /** Of which class a value is made by one of its static methods; empty if it is not. */
    private static String owner(ExpressionTree value) {
      return value instanceof MethodInvocationTree call
              && call.getMethodSelect() instanceof MemberSelectTree method
              && Character.isUpperCase(method.getExpression().toString().charAt(0))
          ? method.getExpression().toString()
          : "";
    }
  }
}
