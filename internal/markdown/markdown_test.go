package markdown_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/internal/markdown"
)

const page = "# A\n## One\nText\n```sh\nmake \\\n  build # why\nls\n```\n```sql\nSELECT 1\n```\n### Below\n```sh\nlast\n```\n## Two\nEnd\n"

func TestBlocks(t *testing.T) {
	for _, check := range []struct{ got, want []string }{
		{markdown.Blocks(page, "sh"), []string{"make \\\n  build # why\nls\n", "last\n"}},
		{markdown.Blocks(page, "sql"), []string{"SELECT 1\n"}},
		{markdown.Blocks(page, "s"), nil},
		{markdown.Commands(markdown.Blocks(page, "sh")[0]), []string{"make    build # why", "ls"}},
		{markdown.Blocks(markdown.Section(page, "## One"), "sh"), markdown.Blocks(page, "sh")},
		{[]string{markdown.Section(page, "## Two"), markdown.Section(page, "## Three")}, []string{"End\n", ""}},
	} {
		if diff := cmp.Diff(check.want, check.got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
