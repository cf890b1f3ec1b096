import {
  Avatar,
  Menu,
  Text,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from "@mantine/core";
import {
  IconDeviceDesktop,
  IconLogout,
  IconMoon,
  IconSelector,
  IconSun,
  IconUserCircle,
} from "@tabler/icons-react";
import { Link, useRouter } from "@tanstack/react-router";
import { useSession } from "@/features/session/queries";
import { useSignOut } from "@/features/session/use-enter";
import { notifyFailure } from "@/lib/notify";
import classes from "./shell.module.css";

const schemes = [
  { value: "light", label: "Light", icon: IconSun },
  { value: "dark", label: "Dark", icon: IconMoon },
  { value: "auto", label: "As the system", icon: IconDeviceDesktop },
] as const;

export function UserMenu() {
  const { user } = useSession().viewer;
  const { routesByPath } = useRouter();
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const label = user.name || user.email;

  return (
    <Menu position="top-start" width={216} withinPortal keepMounted={false}>
      <Menu.Target>
        <UnstyledButton className={classes.user}>
          <VisuallyHidden>Account menu</VisuallyHidden>
          <Avatar name={label} color="tide" size={30} radius="xl" aria-hidden />
          <div style={{ minWidth: 0, flex: 1 }}>
            <Text size="sm" fw={500} truncate>
              {label}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {user.role === "ADMIN" ? "Administrator" : "Member"}
            </Text>
          </div>
          <IconSelector size={16} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label style={{ overflowWrap: "anywhere" }}>{user.email}</Menu.Label>
        {"/account" in routesByPath ? (
          <Menu.Item
            leftSection={<IconUserCircle size={16} aria-hidden />}
            renderRoot={(props) => <Link to="/account" {...props} />}
          >
            Account
          </Menu.Item>
        ) : null}
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => setColorScheme(value as typeof colorScheme)}
        >
          {schemes.map(({ value, label: name, icon: Glyph }) => (
            <Menu.RadioItem
              key={value}
              value={value}
              closeMenuOnClick={false}
              rightSection={<Glyph size={16} aria-hidden />}
            >
              {name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={() => void signOut().catch(notifyFailure)}
        >
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
