import { useInfiniteQuery } from "@tanstack/react-query";
import { screen, waitFor, within } from "@testing-library/react";
import { useState } from "react";
import { expect, it } from "vitest";
import { type Column, DataTable } from "@/components/data-table";
import { ApiError } from "@/lib/errors";
import { type Page, pagesQuery } from "@/lib/pages";
import { renderComponent } from "@/test/render";

interface Row {
  id: string;
  name: string;
}
type Sort = "NAME_ASC" | "NAME_DESC";

const columns: Column<Row, Sort>[] = [
  {
    id: "name",
    header: "Name",
    cell: ({ name }) => name,
    sort: { asc: "NAME_ASC", desc: "NAME_DESC" },
  },
  { id: "id", header: "Id", cell: ({ id }) => id, numeric: true },
];

function pageOf(from: number, count: number, hasNextPage: boolean): Page<Row> {
  const edges = Array.from({ length: count }, (_, n) => ({
    node: { id: `r${from + n}`, name: `Row ${from + n}` },
  }));
  return { edges, pageInfo: { hasNextPage, endCursor: `c${from + count}` } };
}

interface Props {
  fetch: (after: string | null, sort: Sort) => Promise<Page<Row>>;
  selectable?: boolean;
}

function Rows({ fetch, selectable = false }: Props) {
  const [sort, setSort] = useState<Sort>("NAME_ASC");
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const query = useInfiniteQuery(
    pagesQuery<Row>({ queryKey: ["rows", sort], fetch: (after) => fetch(after, sort) }),
  );
  return (
    <DataTable
      label="Rows"
      columns={columns}
      query={query}
      sort={sort}
      onSort={setSort}
      empty="Nothing here"
      rowLink={({ id }) => ({ to: `/rows/${id}` as "/" })}
      {...(selectable
        ? { selection: { selected, onChange: setSelected, nameOf: (id: string) => id } }
        : {})}
    />
  );
}

it("adds the next page on demand and stops offering when there is none", async () => {
  const fetch = async (after: string | null) =>
    after === null ? pageOf(0, 3, true) : pageOf(3, 2, false);
  const { user } = renderComponent(<Rows fetch={fetch} />);
  expect(await screen.findByText("Row 2")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Load more" }));
  expect(await screen.findByText("Row 4")).toBeVisible();
  expect(screen.getByText("Row 0")).toBeVisible();
  expect(screen.queryByRole("button", { name: "Load more" })).not.toBeInTheDocument();
});

it("keeps the rows and offers a retry when a further page fails", async () => {
  let fail = true;
  const fetch = async (after: string | null) => {
    if (after === null) return pageOf(0, 3, true);
    if (fail) throw new ApiError("Away.", "internal");
    return pageOf(3, 1, false);
  };
  const { user } = renderComponent(<Rows fetch={fetch} />);
  await user.click(await screen.findByRole("button", { name: "Load more" }));
  expect(await screen.findByText(/could not be loaded/)).toBeVisible();
  expect(screen.getByText("Row 0")).toBeVisible();
  fail = false;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("Row 3")).toBeVisible();
});

it("asks the server for the other order and says which one holds", async () => {
  const fetch = async (_after: string | null, sort: Sort) =>
    pageOf(sort === "NAME_ASC" ? 0 : 50, 2, false);
  const { user } = renderComponent(<Rows fetch={fetch} />);
  await screen.findByText("Row 0");
  expect(screen.getByRole("columnheader", { name: "Name" })).toHaveAttribute(
    "aria-sort",
    "ascending",
  );
  await user.click(screen.getByRole("button", { name: "Name" }));
  expect(await screen.findByText("Row 50")).toBeVisible();
  expect(screen.getByRole("columnheader", { name: "Name" })).toHaveAttribute(
    "aria-sort",
    "descending",
  );
  expect(screen.queryByText("Row 0")).not.toBeInTheDocument();
});

it("shows what to do when there is nothing, and what went wrong when it fails", async () => {
  const { unmount } = renderComponent(<Rows fetch={async () => pageOf(0, 0, false)} />);
  expect(await screen.findByText("Nothing here")).toBeVisible();
  unmount();
  renderComponent(<Rows fetch={() => Promise.reject(new ApiError("No disk.", "internal"))} />);
  expect(await screen.findByText("No disk.")).toBeVisible();
});

it("follows a row's link wherever the row is clicked, but not from its checkbox", async () => {
  const { user, path } = renderComponent(
    <Rows fetch={async () => pageOf(0, 2, false)} selectable />,
  );
  await user.click(await screen.findByRole("checkbox", { name: "Select r1" }));
  expect(path()).toBe("/");
  await user.click(screen.getByText("r1"));
  await waitFor(() => expect(path()).toBe("/rows/r1"));
});

it("selects single rows and all of them", async () => {
  const { user } = renderComponent(<Rows fetch={async () => pageOf(0, 3, false)} selectable />);
  const all = await screen.findByRole("checkbox", { name: "Select all loaded rows" });
  await user.click(await screen.findByRole("checkbox", { name: "Select r1" }));
  expect(all).toBePartiallyChecked();
  await user.click(all);
  for (const box of within(screen.getByRole("table")).getAllByRole("checkbox")) {
    expect(box).toBeChecked();
  }
  await user.click(screen.getByRole("checkbox", { name: "Select none" }));
  expect(screen.getByRole("checkbox", { name: "Select r0" })).not.toBeChecked();
});

it("keeps all but the rows in sight of a long list out of the document", async () => {
  renderComponent(<Rows fetch={async () => pageOf(0, 5000, false)} />);
  await screen.findByText("Row 0");
  await waitFor(() => expect(screen.getAllByRole("row").length).toBeLessThan(90));
  expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "5001");
});
