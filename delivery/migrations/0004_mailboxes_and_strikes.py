
import django.db.models.deletion
from django.db import migrations, models

from mailsales import wall


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_proofs_and_records'),
        ('delivery', '0003_destinations'),
    ]

    operations = [
        migrations.AddField(
            model_name='inboundmail',
            name='ip',
            field=models.GenericIPAddressField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='inboundmail',
            name='remote_id',
            field=models.CharField(blank=True, max_length=200, null=True, unique=True),
        ),
        migrations.AddField(
            model_name='inboundmail',
            name='source',
            field=models.CharField(choices=[('smtp', 'SMTP'), ('imap', 'IMAP')], db_default='smtp', default='smtp', max_length=4),
        ),
        migrations.AlterField(
            model_name='bounce',
            name='reason',
            field=models.CharField(choices=[('user_unknown', 'No such address'), ('host_unknown', 'No such domain'), ('moved', 'The address has moved'), ('not_accepted', 'The domain takes no mail'), ('mailbox_full', 'Mailbox full'), ('suspended', 'Mailbox suspended'), ('filtered', 'Domain filter'), ('spam', 'Judged to be spam'), ('virus', 'Judged to be a virus'), ('content', 'Refused for the content'), ('too_big', 'Too big'), ('syntax', 'Protocol or form error'), ('policy', 'Refused by the receiver’s policy'), ('auth_failure', 'SPF, DKIM or DMARC failed'), ('blocked', 'Refused for the sender’s reputation'), ('rejected', 'This sender is refused'), ('relay_denied', 'The server does not relay'), ('security', 'Encryption failed'), ('rate_limited', 'Sending too fast'), ('network_error', 'The server could not be reached'), ('system_error', 'Trouble at the receiving server'), ('expired', 'Not delivered in time'), ('other', 'Other reasons'), ('delivered', 'Delivered'), ('delayed', 'Delayed'), ('vacation', 'Automatic reply'), ('complaint', 'Reported as spam'), ('no_reply', 'Cut off before the reply'), ('worker_lost', 'The sending process was lost'), ('restored', 'Restored from a backup'), ('cancelled', 'Cancelled'), ('unsubscribed', 'Unsubscribed'), ('manual', 'By hand'), ('paused', 'Paused by the reader')], max_length=20),
        ),
        migrations.AlterField(
            model_name='message',
            name='reason',
            field=models.CharField(choices=[('user_unknown', 'No such address'), ('host_unknown', 'No such domain'), ('moved', 'The address has moved'), ('not_accepted', 'The domain takes no mail'), ('mailbox_full', 'Mailbox full'), ('suspended', 'Mailbox suspended'), ('filtered', 'Domain filter'), ('spam', 'Judged to be spam'), ('virus', 'Judged to be a virus'), ('content', 'Refused for the content'), ('too_big', 'Too big'), ('syntax', 'Protocol or form error'), ('policy', 'Refused by the receiver’s policy'), ('auth_failure', 'SPF, DKIM or DMARC failed'), ('blocked', 'Refused for the sender’s reputation'), ('rejected', 'This sender is refused'), ('relay_denied', 'The server does not relay'), ('security', 'Encryption failed'), ('rate_limited', 'Sending too fast'), ('network_error', 'The server could not be reached'), ('system_error', 'Trouble at the receiving server'), ('expired', 'Not delivered in time'), ('other', 'Other reasons'), ('delivered', 'Delivered'), ('delayed', 'Delayed'), ('vacation', 'Automatic reply'), ('complaint', 'Reported as spam'), ('no_reply', 'Cut off before the reply'), ('worker_lost', 'The sending process was lost'), ('restored', 'Restored from a backup'), ('cancelled', 'Cancelled'), ('unsubscribed', 'Unsubscribed'), ('manual', 'By hand'), ('paused', 'Paused by the reader')], max_length=20, null=True),
        ),
        migrations.AlterField(
            model_name='throttle',
            name='reason',
            field=models.CharField(choices=[('user_unknown', 'No such address'), ('host_unknown', 'No such domain'), ('moved', 'The address has moved'), ('not_accepted', 'The domain takes no mail'), ('mailbox_full', 'Mailbox full'), ('suspended', 'Mailbox suspended'), ('filtered', 'Domain filter'), ('spam', 'Judged to be spam'), ('virus', 'Judged to be a virus'), ('content', 'Refused for the content'), ('too_big', 'Too big'), ('syntax', 'Protocol or form error'), ('policy', 'Refused by the receiver’s policy'), ('auth_failure', 'SPF, DKIM or DMARC failed'), ('blocked', 'Refused for the sender’s reputation'), ('rejected', 'This sender is refused'), ('relay_denied', 'The server does not relay'), ('security', 'Encryption failed'), ('rate_limited', 'Sending too fast'), ('network_error', 'The server could not be reached'), ('system_error', 'Trouble at the receiving server'), ('expired', 'Not delivered in time'), ('other', 'Other reasons'), ('delivered', 'Delivered'), ('delayed', 'Delayed'), ('vacation', 'Automatic reply'), ('complaint', 'Reported as spam'), ('no_reply', 'Cut off before the reply'), ('worker_lost', 'The sending process was lost'), ('restored', 'Restored from a backup'), ('cancelled', 'Cancelled'), ('unsubscribed', 'Unsubscribed'), ('manual', 'By hand'), ('paused', 'Paused by the reader')], db_default='rate_limited', max_length=20),
        ),
        migrations.CreateModel(
            name='ReturnMailbox',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.EmailField(max_length=254, verbose_name='Address of the mailbox')),
                ('takes_plus', models.BooleanField(default=True, verbose_name='It takes addresses with a plus sign')),
                ('host', models.CharField(max_length=253, verbose_name='IMAP server')),
                ('port', models.PositiveIntegerField(default=993, verbose_name='Port')),
                ('username', models.CharField(max_length=254, verbose_name='Login name')),
                ('sealed_password', models.TextField()),
                ('folder', models.CharField(default='INBOX', max_length=100, verbose_name='Folder')),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('trouble', models.CharField(blank=True, db_default='', max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('domain', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.domain')),
            ],
            options={
                'verbose_name_plural': 'return mailboxes',
                'db_table': 'return_mailbox',
            },
        ),
        migrations.CreateModel(
            name='Strike',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(max_length=254)),
                ('on', models.DateField()),
                ('reason', models.CharField(choices=[('user_unknown', 'No such address'), ('host_unknown', 'No such domain'), ('moved', 'The address has moved'), ('not_accepted', 'The domain takes no mail'), ('mailbox_full', 'Mailbox full'), ('suspended', 'Mailbox suspended'), ('filtered', 'Domain filter'), ('spam', 'Judged to be spam'), ('virus', 'Judged to be a virus'), ('content', 'Refused for the content'), ('too_big', 'Too big'), ('syntax', 'Protocol or form error'), ('policy', 'Refused by the receiver’s policy'), ('auth_failure', 'SPF, DKIM or DMARC failed'), ('blocked', 'Refused for the sender’s reputation'), ('rejected', 'This sender is refused'), ('relay_denied', 'The server does not relay'), ('security', 'Encryption failed'), ('rate_limited', 'Sending too fast'), ('network_error', 'The server could not be reached'), ('system_error', 'Trouble at the receiving server'), ('expired', 'Not delivered in time'), ('other', 'Other reasons'), ('delivered', 'Delivered'), ('delayed', 'Delayed'), ('vacation', 'Automatic reply'), ('complaint', 'Reported as spam'), ('no_reply', 'Cut off before the reply'), ('worker_lost', 'The sending process was lost'), ('restored', 'Restored from a backup'), ('cancelled', 'Cancelled'), ('unsubscribed', 'Unsubscribed'), ('manual', 'By hand'), ('paused', 'Paused by the reader')], max_length=20)),
                ('text', models.CharField(blank=True, db_default='', max_length=500)),
                ('message_id', models.BigIntegerField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'db_table': 'strike',
                'constraints': [models.UniqueConstraint(fields=('account', 'address', 'on'), name='one_strike_per_day')],
            },
        ),
        *wall.guard("return_mailbox", "strike"),
    ]
