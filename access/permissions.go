package access

// Permission is a named act.
type Permission string

// The permissions the product ships with.
const (
	ClassroomView    Permission = "classroom.view"
	ClassroomEdit    Permission = "classroom.edit"
	GradesView       Permission = "grades.view"
	GradesEdit       Permission = "grades.edit"
	RosterView       Permission = "roster.view"
	ReportsView      Permission = "reports.view"
	ReportsExport    Permission = "reports.export"
	DevicesManage    Permission = "devices.manage"
	SupportAssist    Permission = "support.assist"
	UsersView        Permission = "users.view"
	RolesAssign      Permission = "roles.assign"
	OverridesManage  Permission = "overrides.manage"
	DuplicatesReview Permission = "duplicates.review"
	SyncRun          Permission = "sync.run"
	AuditView        Permission = "audit.view"
	SettingsManage   Permission = "settings.manage"
)

// Definition describes a permission: the smallest place it can be asked about, whether it is sensitive (a sync that
// takes it from many people waits for a person), and what it lets someone do, in one sentence for each language.
type Definition struct {
	Permission Permission
	Scope      Kind
	Sensitive  bool
	English    string
	Spanish    string
}

// Catalogue lists the shipped permissions in the order they are shown.
func Catalogue() []Definition {
	return []Definition{
		{ClassroomView, Section, false, "See a section's classroom.", "Ver el aula de una sección."},
		{ClassroomEdit, Section, false, "Change a section's classroom.", "Cambiar el aula de una sección."},
		{GradesView, Section, true, "See grades.", "Ver las calificaciones."},
		{GradesEdit, Section, true, "Change grades.", "Cambiar las calificaciones."},
		{RosterView, Section, false, "See who is in a section.", "Ver quién está en una sección."},
		{UsersView, Section, false, "See people and their roles.", "Ver a las personas y sus funciones."},
		{ReportsView, Section, false, "Open reports.", "Abrir informes."},
		{ReportsExport, School, true, "Download reports.", "Descargar informes."},
		{DevicesManage, School, false, "Manage devices.", "Administrar dispositivos."},
		{SupportAssist, School, true, "Help people who cannot sign in.", "Ayudar a quienes no pueden iniciar sesión."},
		{DuplicatesReview, School, true, "Review people who may be the same person.", "Revisar personas que podrían ser la misma."},
		{RolesAssign, District, true, "Give and end roles by hand.", "Dar y terminar funciones a mano."},
		{OverridesManage, District, true, "Allow or deny a permission for one person.", "Permitir o negar un permiso a una persona."},
		{SyncRun, District, false, "See syncs with Clever and start one.", "Ver las sincronizaciones con Clever e iniciar una."},
		{AuditView, District, true, "See what was changed, by whom.", "Ver qué se cambió y quién lo hizo."},
		{SettingsManage, District, true, "Change settings and role rules.", "Cambiar la configuración y las reglas."},
	}
}

var scopes = func() map[Permission]Kind {
	m := make(map[Permission]Kind)
	for _, d := range Catalogue() {
		m[d.Permission] = d.Scope
	}
	return m
}()

// Rule gives permissions to a role or, with a label, to the staff who carry that label. How far they reach follows
// from the role: a teacher's to the sections taught, staff's to their schools, a district admin's to the district.
type Rule struct {
	Role        Role
	Label       string // "" is everyone in the role
	Permissions []Permission
}

// ShippedRules is what a district starts with, after Clever's guidance: teachers edit their own sections, staff view
// everything at their schools, tech leads also help there, district admins get everything.
func ShippedRules() []Rule {
	everything := make([]Permission, 0, len(scopes))
	for _, d := range Catalogue() {
		everything = append(everything, d.Permission)
	}
	return []Rule{
		{Role: Teacher, Permissions: []Permission{ClassroomView, ClassroomEdit, GradesView, GradesEdit, RosterView, UsersView, ReportsView}},
		{Role: Staff, Permissions: []Permission{ClassroomView, GradesView, RosterView, UsersView, ReportsView}},
		{Role: Staff, Label: SchoolTechLead, Permissions: []Permission{DevicesManage, SupportAssist, DuplicatesReview}},
		{Role: DistrictAdmin, Permissions: everything},
	}
}
