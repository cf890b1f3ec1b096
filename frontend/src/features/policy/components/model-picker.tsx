import { IconCube } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { EmptyState } from "@/components/empty-state";
import { PickerList } from "@/components/picker-list";
import { modelPickerQuery, type PickedModel } from "@/features/policy/queries";

interface Props {
  children: (model: PickedModel) => ReactNode;
  action: (model: PickedModel) => ReactNode;
}

export function ModelPicker({ children, action }: Props) {
  const [search, setSearch] = useState("");
  const query = useInfiniteQuery(modelPickerQuery(search));
  return (
    <PickerList
      searchLabel="Search models by slug or name"
      label="Models"
      {...{ search, query, action }}
      onSearch={setSearch}
      empty={
        <EmptyState icon={IconCube} title={search ? "No model matches" : "There are no models yet"}>
          {search
            ? "Try a part of its slug or name."
            : "Add a provider and a model first; then it can be granted."}
        </EmptyState>
      }
    >
      {children}
    </PickerList>
  );
}
